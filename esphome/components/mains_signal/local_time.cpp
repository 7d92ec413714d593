#include "local_time.h"

#include "civil_date.h"

namespace esphome::mains_signal {

LocalTime local_time(std::time_t epoch) {
  std::tm parts{};
  localtime_r(&epoch, &parts);
  return {days_from_civil(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday),
          parts.tm_hour * 3600.0 + parts.tm_min * 60.0 + parts.tm_sec};
}

}  // namespace esphome::mains_signal
