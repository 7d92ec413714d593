// Messages of the firmware: the same as a code for clients and as a sentence for people.

#include "esphome/components/device_message/device_message.h"

#include <gtest/gtest.h>

namespace esphome::device_message {
namespace {

constexpr MessageKind FUSE{"fuse_open", "Fuse of {inputs} is open."};
constexpr MessageKind SHOWN{"shown", "{phase}: {shown} V, {phase} {correction} %."};
constexpr MessageKind ODD{"odd", "{nothing} known, {open"};

TEST(DeviceMessage, NamesInputsAlone) {
  Message message(FUSE);
  message.add_inputs("V1,I2=L3");
  EXPECT_EQ(message.encode(), "fuse_open:V1,I2=L3");
  EXPECT_EQ(message.describe(), "Fuse of V1, I2 -> L3 is open.");
}

TEST(DeviceMessage, NamesValuesWithTheirDecimals) {
  Message message(SHOWN);
  message.add("phase", "L1").add("shown", 229.96, 1).add("correction", 2.0, 2, true);
  EXPECT_EQ(message.encode(), "shown:phase=L1,shown=230.0,correction=+2.00");
  EXPECT_EQ(message.describe(), "L1: 230.0 V, L1 +2.00 %.");
}

TEST(DeviceMessage, LeavesOutWhatItDoesNotKnow) {
  EXPECT_EQ(Message(ODD).describe(), " known, {open");
  EXPECT_EQ(Message(ODD).encode(), "odd");
  EXPECT_TRUE(Message().is_empty());
  EXPECT_EQ(Message().describe(), "");
  EXPECT_EQ(Message().encode(), "");
  Message full(SHOWN);
  for (size_t i = 0; i <= Message::MAX_VALUES; i++)
    full.add("phase", std::to_string(i));
  EXPECT_EQ(full.encode(), "shown:phase=0,phase=1,phase=2,phase=3");
}

TEST(DeviceMessage, AnswersWithTheSentenceFirst) {
  EXPECT_EQ(answer("Done.", "done:phase=L1"), "Done. [done:phase=L1]");
  EXPECT_EQ(answer("", ""), "");
}

}  // namespace
}  // namespace esphome::device_message
