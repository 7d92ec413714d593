// The settings of the simulator: the environment over the configuration.

#include "esphome/components/ade9000_simulator/simulator_settings.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace esphome::ade9000_simulator {
namespace {

/// An environment of the test's own.
std::map<std::string, std::string> variables;
const char *lookup(const char *name) {
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : found->second.c_str();
}

TEST(SimulatorSettings, TheEnvironmentWinsOverTheConfiguration) {
  SimulatorSettings yaml;
  yaml.recording = "yaml.csv";
  yaml.options = {{{"voltage_l1", "U"}}, {{"voltage", 2.0}}};
  yaml.speed = 5.0;

  variables = {};
  auto settings = apply_environment(yaml, lookup);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings.value->recording, "yaml.csv");
  EXPECT_EQ(settings.value->options.columns.size(), 1u);
  EXPECT_EQ(settings.value->speed, 5.0);
  EXPECT_FALSE(settings.value->start);

  variables = {
      {"NRJ_RECORDING", "other.csv"}, {"NRJ_SPEED", "60"}, {"NRJ_START", "12.5"}, {"NRJ_RECORDING_SCALE", "current=3"}};
  settings = apply_environment(yaml, lookup);
  ASSERT_TRUE(settings) << settings.error;
  EXPECT_EQ(settings.value->recording, "other.csv");
  EXPECT_TRUE(settings.value->options.columns.empty()) << "the configuration's columns belong to its own file";
  ASSERT_EQ(settings.value->options.scale.size(), 1u);
  EXPECT_EQ(settings.value->options.scale[0].name, "current");
  EXPECT_EQ(settings.value->speed, 60.0);
  EXPECT_EQ(settings.value->start, 12.5);

  variables = {{"NRJ_RECORDING", ""}, {"NRJ_SPEED", " "}};
  settings = apply_environment(yaml, lookup);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings.value->recording, "yaml.csv");
  EXPECT_EQ(settings.value->speed, 5.0);
}

TEST(SimulatorSettings, SaysWhatIsWrong) {
  const auto error = [](const char *name, const char *value) {
    variables = {{name, value}};
    return apply_environment({}, lookup).error;
  };
  for (const std::string speed : {"fast", "-1", "1001", "nan", "1 2"})
    EXPECT_EQ(
        error("NRJ_SPEED", speed.c_str()),
        "NRJ_SPEED is '" + speed + "', which is not a speed; write a number from 0 (hold) to 1000, 1 being real time");
  EXPECT_EQ(error("NRJ_START", "noon"),
            "NRJ_START is 'noon', which is not a position; write the seconds at which to start, from 0 to 1000000000");
  EXPECT_EQ(
      error("NRJ_RECORDING_SCALE", "voltage"),
      "NRJ_RECORDING_SCALE: the scale 'voltage' is not of the form voltage=0.001; write name=value pairs separated "
      "by commas");
  EXPECT_EQ(error("NRJ_RECORDING_COLUMNS", "=x"),
            "NRJ_RECORDING_COLUMNS: the column mapping '=x' is not of the form voltage_l1=ColumnName; write name=value "
            "pairs separated by commas");
}

}  // namespace
}  // namespace esphome::ade9000_simulator
