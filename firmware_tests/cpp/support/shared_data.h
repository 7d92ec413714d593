#pragma once

#include <cstdlib>
#include <string>

namespace esphome::mains_signal {

/// Path of a recording of the project's, wherever this machine keeps them (NRJ_SHARED_DATA).
inline std::string shared_file(const std::string &name) {
  const char *folder = std::getenv("NRJ_SHARED_DATA");
  return std::string(folder != nullptr ? folder : "../shared/data") + "/" + name;
}

}  // namespace esphome::mains_signal
