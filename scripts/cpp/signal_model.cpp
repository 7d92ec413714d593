// What the simulated chip measures, without the chip: checks a recording, and computes the past of the built-in house.
// Compiled with every *.cpp of esphome/components/mains_signal.

#include "../../esphome/components/mains_signal/house_day.h"
#include "../../esphome/components/mains_signal/local_time.h"
#include "../../esphome/components/mains_signal/recording_reader.h"
#include "../../esphome/components/mains_signal/text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <vector>

using namespace esphome::mains_signal;

namespace {

constexpr int STATUS_REFUSED = 2;

constexpr char USAGE[] =
    "usage: signal_model check FILE [--columns voltage_l1=COLUMN,...] [--scale voltage=0.001,...]\n"
    "       signal_model history --from EPOCH --to EPOCH [--step SECONDS]\n"
    "\n"
    "check    reads a recording as the simulated chip would; prints one line of JSON, or says what is wrong with it.\n"
    "history  prints the built-in house as CSV, one row a step from --from (inclusive) to --to (exclusive), Unix "
    "seconds;\n"
    "         its wall clock follows the time zone in TZ, as the simulated firmware's does. Energies are Wh of the "
    "step,\n"
    "         split by the sign of each second; import_energy and export_energy are netted over the phases.\n";

int refuse(const std::string &sentence) {
  fprintf(stderr, "%s\n", sentence.c_str());
  return STATUS_REFUSED;
}

/// Options of the form --name value; anything else is positional.
struct Arguments {
  std::vector<std::string> positional;
  std::map<std::string, std::string> options;
  std::string error;

  Arguments(int count, char **values, const std::vector<std::string> &known) {
    for (int i = 0; i < count; i++) {
      const std::string word = values[i];
      if (!word.starts_with("--")) {
        this->positional.push_back(word);
      } else if (std::find(known.begin(), known.end(), word) == known.end()) {
        this->error = "unknown option '" + word + "'; see signal_model --help";
      } else if (i + 1 == count) {
        this->error = "option " + word + " needs a value; see signal_model --help";
      } else {
        this->options[word] = values[++i];
      }
    }
  }
};

std::string json_string(const std::string &text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

int check(const Arguments &arguments) {
  if (arguments.positional.size() != 1)
    return refuse("check needs one recording; see signal_model --help");
  RecordingOptions options;
  if (const auto text = arguments.options.find("--columns"); text != arguments.options.end()) {
    auto choices = parse_column_choices(text->second);
    if (!choices)
      return refuse(choices.error);
    options.columns = std::move(*choices.value);
  }
  if (const auto text = arguments.options.find("--scale"); text != arguments.options.end()) {
    auto choices = parse_scale_choices(text->second);
    if (!choices)
      return refuse(choices.error);
    options.scale = std::move(*choices.value);
  }
  const auto recording = read_recording(arguments.positional.front(), options);
  if (!recording)
    return refuse(recording.error);
  std::string quantities;
  for (const int series : recording.value->series())
    quantities += (quantities.empty() ? "" : ", ") + json_string(series_name(series));
  printf(
      "{\"layout\": %s, \"rows\": %zu, \"rows_without_measurement\": %zu, \"duration\": %.3f, \"quantities\": [%s]}\n",
      json_string(recording.value->layout()).c_str(), recording.value->rows(), recording.value->gaps(),
      recording.value->duration(), quantities.c_str());
  return 0;
}

/// Mean, least and greatest of one quantity over a step.
class Spread {
 public:
  void add(double value) {
    this->sum_ += value;
    this->count_++;
    this->minimum_ = std::min(this->minimum_, value);
    this->maximum_ = std::max(this->maximum_, value);
  }
  void print() const {
    printf(",%.6g,%.6g,%.6g", this->sum_ / static_cast<double>(this->count_), this->minimum_, this->maximum_);
  }

 protected:
  double sum_{0.0};
  int64_t count_{0};
  double minimum_{std::numeric_limits<double>::infinity()};
  double maximum_{-std::numeric_limits<double>::infinity()};
};

/// Energy by direction, Wh.
class EnergySplit {
 public:
  void add(double power, double seconds) {
    (power > 0.0 ? this->import_ : this->export_) += std::abs(power) * seconds / 3600.0;
  }
  void print() const { printf(",%.4f,%.4f", this->import_, this->export_); }

 protected:
  double import_{0.0};
  double export_{0.0};
};

/// What the house's meter shows of one phase, or of all together. `frequency` is the same for all.
struct Reading {
  double voltage;
  double current;
  double active_power;
  double reactive_power;
  double apparent_power;
  double frequency;

  double power_factor() const { return this->apparent_power > 0.0 ? this->active_power / this->apparent_power : 0.0; }
};

struct Column {
  const char *key;
  bool total;
  double (*value)(const Reading &reading);
};

constexpr Column COLUMNS[] = {
    {"voltage", false, [](const Reading &reading) { return reading.voltage; }},
    {"current", false, [](const Reading &reading) { return reading.current; }},
    {"active_power", true, [](const Reading &reading) { return reading.active_power; }},
    {"reactive_power", true, [](const Reading &reading) { return reading.reactive_power; }},
    {"apparent_power", true, [](const Reading &reading) { return reading.apparent_power; }},
    {"power_factor", true, [](const Reading &reading) { return reading.power_factor(); }},
    {"frequency", true, [](const Reading &reading) { return reading.frequency; }},
};
constexpr int COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]);
/// The phases, then the total.
constexpr int SCOPES = PHASES + 1;
constexpr int TOTAL = PHASES;
constexpr const char *SCOPE_SUFFIX[SCOPES] = {"_l1", "_l2", "_l3", ""};

bool has_column(int scope, const Column &column) { return scope != TOTAL || column.total; }

void print_header() {
  printf("start");
  for (const char *suffix : SCOPE_SUFFIX) {
    printf(",import_energy%s,export_energy%s", suffix, suffix);
  }
  for (int scope = 0; scope < SCOPES; scope++) {
    for (const Column &column : COLUMNS) {
      if (!has_column(scope, column))
        continue;
      for (const char *statistic : {"mean", "min", "max"})
        printf(",%s%s_%s", column.key, SCOPE_SUFFIX[scope], statistic);
    }
  }
  printf("\n");
}

/// Readings of the phases and the total from one signal.
void read_house(const Signal &signal, Reading (&readings)[SCOPES]) {
  Reading total{0.0, 0.0, 0.0, 0.0, 0.0, signal.frequency};
  for (int i = 0; i < PHASES; i++) {
    const PhaseSignal &phase = signal.phases[i];
    readings[i] = {phase.rms_voltage(),
                   phase.current(),
                   phase.total_active_power(),
                   phase.reactive_power,
                   phase.rms_voltage() * phase.current(),
                   signal.frequency};
    total.active_power += readings[i].active_power;
    total.reactive_power += readings[i].reactive_power;
    total.apparent_power += readings[i].apparent_power;
  }
  readings[TOTAL] = total;
}

void print_step(int64_t start, int64_t length) {
  const LocalTime local = local_time(start);
  const HouseDay house(local.day);
  EnergySplit energy[SCOPES];
  Spread spreads[SCOPES][COLUMN_COUNT];
  for (int64_t second = 0; second < length; second++) {
    Reading readings[SCOPES];
    read_house(house.at(local.second + static_cast<double>(second) + 0.5), readings);
    for (int scope = 0; scope < SCOPES; scope++) {
      energy[scope].add(readings[scope].active_power, 1.0);
      for (int column = 0; column < COLUMN_COUNT; column++)
        spreads[scope][column].add(COLUMNS[column].value(readings[scope]));
    }
  }
  printf("%lld", static_cast<long long>(start));
  for (const EnergySplit &split : energy)
    split.print();
  for (int scope = 0; scope < SCOPES; scope++) {
    for (int column = 0; column < COLUMN_COUNT; column++) {
      if (has_column(scope, COLUMNS[column]))
        spreads[scope][column].print();
    }
  }
  printf("\n");
}

int history(const Arguments &arguments) {
  if (!arguments.positional.empty())
    return refuse("history takes options only, not '" + arguments.positional.front() + "'; see signal_model --help");
  std::map<std::string, int64_t> seconds = {{"--step", 300}};
  for (const auto &[name, text] : arguments.options) {
    const auto number = parse_number(text);
    if (!number || *number != std::floor(*number) || *number < 0.0 || *number > 1e11)
      return refuse("option " + name + " is '" + text + "'; give whole seconds, 0 or more");
    seconds[name] = static_cast<int64_t>(*number);
  }
  if (!seconds.contains("--from") || !seconds.contains("--to"))
    return refuse("history needs --from and --to; see signal_model --help");
  const int64_t step = seconds["--step"];
  if (step < 1)
    return refuse("option --step is 0; give at least 1 second");
  print_header();
  for (int64_t start = seconds["--from"]; start < seconds["--to"]; start += step)
    print_step(start, std::min(step, seconds["--to"] - start));
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "--help" || command == "-h") {
    fputs(USAGE, stdout);
    return 0;
  }
  if (command != "check" && command != "history") {
    fputs(USAGE, stderr);
    return STATUS_REFUSED;
  }
  const std::vector<std::string> known = command == "check" ? std::vector<std::string>{"--columns", "--scale"}
                                                            : std::vector<std::string>{"--from", "--to", "--step"};
  const Arguments arguments(argc - 2, argv + 2, known);
  if (!arguments.error.empty())
    return refuse(arguments.error);
  return command == "check" ? check(arguments) : history(arguments);
}
