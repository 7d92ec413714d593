// The firmware's frequency guard on the host: samples in, changes of its state out.
// Compiled with esphome/components/frequency_guard/{frequency_check,guard,guard_profile,guard_state}.cpp.

#include "../../esphome/components/frequency_guard/guard.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

using namespace esphome::frequency_guard;

namespace {

constexpr int STATUS_REFUSED = 2;

constexpr char USAGE[] =
    "usage: guard_replay [--profile NAME | --custom NUMBERS] [--nominal-voltage V] [--silence MS] [--spread HZ] "
    "[--rate-of-change "
    "HZ_PER_S]\n"
    "\n"
    "Reads one sample a line: time_ms voltage frequency [voltage frequency [voltage frequency]], 'nan' for what was "
    "not\n"
    "measured, or only time_ms to let time pass. 'ticks FIRST LAST STEP' is that for times in steps, 'restart TIME' "
    "begins\n"
    "with a guard that remembers nothing. Prints one line for each change: time_ms state reason frequency "
    "may_restore\n"
    "outage; and for 'done' the same, once all before is played.\n"
    "NUMBERS, with commas: nominal, then Hz and ms of inhibit, shed_1 to shed_3, restore, absorb_1, absorb_2, "
    "release.\n";

int refuse(const std::string &sentence) {
  fprintf(stderr, "%s\n", sentence.c_str());
  return STATUS_REFUSED;
}

/// Takes numbers off the front of a line.
class Numbers {
 public:
  explicit Numbers(const char *line) : at_(line) {}
  bool next(double &number) {
    char *end;
    number = std::strtod(this->at_, &end);
    const bool found = end != this->at_;
    this->at_ = end;
    return found;
  }
  bool at_end() const { return this->at_[std::strspn(this->at_, " \t\r\n")] == '\0'; }

 private:
  const char *at_;
};

/// Reads the thresholds of a profile of one's own.
bool read_custom(std::string text, GuardProfile &profile) {
  for (char &character : text)
    character = character == ',' ? ' ' : character;
  Numbers numbers(text.c_str());
  Threshold *thresholds[] = {&profile.under[0], &profile.under[1], &profile.under[2], &profile.under[3],
                             &profile.restore,  &profile.over[0],  &profile.over[1],  &profile.release};
  bool complete = numbers.next(profile.nominal);
  for (Threshold *threshold : thresholds) {
    double delay = 0;
    complete = complete && numbers.next(threshold->hertz) && numbers.next(delay);
    threshold->delay_ms = static_cast<int64_t>(delay);
  }
  return complete && numbers.at_end();
}

/// Plays lines to a guard, and prints its changes.
class Replay {
 public:
  explicit Replay(const GuardSettings &settings) : settings_(settings), guard_(settings) {}

  /// @return false where the line is none.
  bool play(const char *line) {
    double times[3];
    if (takes_(line, "ticks ", times, 3) && times[2] >= 1) {
      for (auto now = static_cast<int64_t>(times[0]); now <= static_cast<int64_t>(times[1]);
           now += static_cast<int64_t>(times[2])) {
        this->guard_.tick(now);
        this->print_(now);
      }
      return true;
    }
    if (takes_(line, "restart ", times, 1)) {
      const auto now = static_cast<int64_t>(times[0]);
      this->guard_ = FrequencyGuard(this->settings_, GuardState::NORMAL, now);
      this->print_(now);
      return true;
    }
    if (std::strcmp(line, "done\n") == 0) {
      printf("done\n");
      fflush(stdout);
      return true;
    }
    return this->sample_(line);
  }

 private:
  static bool takes_(const char *line, const char *word, double *times, size_t count) {
    if (std::strncmp(line, word, std::strlen(word)) != 0)
      return false;
    Numbers numbers(line + std::strlen(word));
    for (size_t i = 0; i < count; i++) {
      if (!numbers.next(times[i]))
        return false;
    }
    return numbers.at_end();
  }

  bool sample_(const char *line) {
    Numbers numbers(line);
    double time;
    if (!numbers.next(time))
      return false;
    GridSample sample{static_cast<int64_t>(time), {}};
    sample.phases.fill({0, 0});
    size_t phases = 0;
    while (!numbers.at_end()) {
      PhaseSample phase;
      if (phases == PHASES || !numbers.next(phase.voltage) || !numbers.next(phase.frequency))
        return false;
      sample.phases[phases++] = phase;
    }
    if (phases == 0) {
      this->guard_.tick(sample.time_ms);
    } else {
      this->guard_.sample(sample);
    }
    this->print_(sample.time_ms);
    return true;
  }

  /// Prints the state where it has changed since the last moment.
  void print_(int64_t now_ms) {
    const FrequencyGuard &guard = this->guard_;
    if (guard.changes() == this->changes_ && guard.may_restore() == this->could_restore_ &&
        guard.had_outage() == this->outage_)
      return;
    this->changes_ = guard.changes();
    this->could_restore_ = guard.may_restore();
    this->outage_ = guard.had_outage();
    printf("%" PRId64 " %s %s %.17g %d %d\n", now_ms, guard_state_name(guard.state()),
           guard_reason_name(guard.reason()), guard.frequency(), this->could_restore_, this->outage_);
  }

  const GuardSettings settings_;
  FrequencyGuard guard_;
  uint32_t changes_{0};
  bool could_restore_{false};
  bool outage_{false};
};

}  // namespace

int main(int argc, char **argv) {
  GuardSettings settings;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (i + 1 == argc)
      return refuse(USAGE);
    const char *value = argv[i + 1];
    if (option == "--profile") {
      const GuardProfile *profile = find_guard_profile(value);
      if (profile == nullptr)
        return refuse(std::string("There is no profile '") + value + "'.");
      settings.profile = *profile;
    } else if (option == "--custom") {
      if (!read_custom(value, settings.profile))
        return refuse(USAGE);
      if (const char *error = guard_profile_error(settings.profile))
        return refuse(std::string("The thresholds contradict each other: ") + error + ".");
    } else if (option == "--nominal-voltage") {
      settings.limits.nominal_voltage = std::atof(value);
    } else if (option == "--silence") {
      settings.limits.silence_ms = std::atoll(value);
    } else if (option == "--spread") {
      settings.spread = std::atof(value);
    } else if (option == "--rate-of-change") {
      settings.rate_of_change = std::atof(value);
    } else {
      return refuse(USAGE);
    }
  }

  Replay replay(settings);
  char line[512];
  for (size_t row = 1; fgets(line, sizeof(line), stdin) != nullptr; row++) {
    if (!replay.play(line))
      return refuse("Line " + std::to_string(row) + " is no sample: " + line);
  }
  return 0;
}
