// Half-cycle rms, the chip's watch over dips, swells, overcurrent and sequence, peaks, temperature, wiring errors and
// phase compensation, against the data sheet and plain physics.

#include "firmware_tests/cpp/support/chip_bench.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace esphome::ade9000_simulator {
namespace {

constexpr double DEGREE = std::numbers::pi / 180;
constexpr double RMS_FULL_SCALE = 52702092.0;
constexpr uint32_t OI = 1u << 17, SEQERR = 1u << 18, SWELLA = 1u << 20, DIPA = 1u << 23;

/// The code of a level register for this voltage: fast rms over 2^5.
uint32_t level(double volts) { return static_cast<uint32_t>(volts / Bench::FULL_VOLTAGE * RMS_FULL_SCALE / 32); }

struct Watching : Bench {
  template<typename S> explicit Watching(S signal) : Bench(signal) {
    this->start();
    this->wait(0.1);
    this->write32(0x410, level(207.0));  // DIP_LVL
    this->write32(0x414, level(253.0));  // SWELL_LVL
    this->write16(0x48B, 1);             // DIP_CYC
    this->write16(0x48C, 1);             // SWELL_CYC
    this->write16(0x49C, 1);             // SEQ_CYC
    this->wait(0.2);
    this->write32(0x403, 0xFFFFFFFF);
  }
  double volts_one(int phase) { return this->read32(0x21A + 0x20 * phase) / RMS_FULL_SCALE * FULL_VOLTAGE; }
  double amperes_one(int phase) { return this->read32(0x219 + 0x20 * phase) / RMS_FULL_SCALE * FULL_CURRENT; }
  double level_volts(uint16_t address) { return this->read32(address) * 32.0 / RMS_FULL_SCALE * FULL_VOLTAGE; }
  /// Goes to this position in steps of `step`, calling `see` after each.
  template<typename See> void run_to(double position, double step, See see) {
    while (this->now.position < position - 1e-9) {
      this->wait(std::min(step, position - this->now.position));
      see();
    }
  }
};

/// A phase at `volts` from `from` to `to`, 230 V before and after.
auto disturbed(double volts, double from, double to, int phase = 0) {
  return [=](double seconds) {
    Signal signal = balanced(230.0, 10.0);
    if (seconds >= from && seconds < to) {
      signal.phases[phase].voltage = volts;
    }
    return signal;
  };
}

TEST(ChipPowerQuality, FastRmsIsTheSteadyRms) {
  Signal signal = balanced(231.5, 7.25, 50.0);
  signal.frequency = 51.3;
  signal.phases[1].voltage_harmonics = {{5, 0.06, 1.0}};
  Watching bench(signal);
  EXPECT_NEAR(bench.volts_one(0), 231.5, 1e-3);
  EXPECT_NEAR(bench.volts_one(1), 231.5 * std::hypot(1.0, 0.06), 1e-3);
  EXPECT_NEAR(bench.amperes_one(2), 7.25, 1e-4);
  bench.wait(0.4);
  EXPECT_NEAR(bench.read32(0x21C) / RMS_FULL_SCALE * Bench::FULL_VOLTAGE, 231.5, 1e-3) << "AVRMS1012";
}

TEST(ChipPowerQuality, TheFastRmsFillsAfterAStartAndLatchesDips) {
  Bench bench(balanced(230.0, 5.0));
  bench.start();
  bench.write32(0x410, level(207.0));
  bench.write16(0x48B, 1);
  bench.wait(0.1);
  EXPECT_EQ(bench.read32(0x403) & (7 * DIPA), 7 * DIPA);
  EXPECT_EQ(bench.read32(0x404) & 7u, 0u) << "over since";
}

TEST(ChipPowerQuality, OixKeepsItsValueBeyondTheEvent) {
  Watching bench([](double seconds) {
    Signal signal = balanced(230.0, 5.0);
    if (seconds >= 1.0 && seconds < 1.1)
      signal.phases[0].fundamental_current = 40.0;
    if (seconds >= 2.0 && seconds < 2.1)
      signal.phases[1].fundamental_current = 30.0;
    return signal;
  });
  bench.write32(0x409, static_cast<uint32_t>(20.0 / Bench::FULL_CURRENT * RMS_FULL_SCALE / 32));
  bench.run_to(2.3, 0.05, [] {});
  EXPECT_NEAR(bench.read32(0x40A) * 32.0 / RMS_FULL_SCALE * Bench::FULL_CURRENT, 40.0, 0.01) << "OIA (p. 68)";
  EXPECT_NEAR(bench.read32(0x40B) * 32.0 / RMS_FULL_SCALE * Bench::FULL_CURRENT, 30.0, 0.01) << "OIB";
}

TEST(ChipPowerQuality, FastRmsSpansOneCycleAndMovesEachHalf) {
  // Half the voltage for two and a half cycles.
  Watching bench(disturbed(115.0, 1.0, 1.05));
  bench.run_to(1.0, 0.05, [] {});
  std::vector<double> seen;
  bench.run_to(1.12, 0.001, [&] {
    const double volts = bench.volts_one(0);
    if (seen.empty() || std::abs(seen.back() - volts) > 0.01)
      seen.push_back(volts);
  });
  EXPECT_NEAR(*std::min_element(seen.begin(), seen.end()), 115.0, 0.1);
  EXPECT_NEAR(seen.back(), 230.0, 0.1);
  // Down and up it passes at most three values between: one cycle, plus where in the half cycle the dip began.
  EXPECT_GE(seen.size(), 4u);
  EXPECT_LE(seen.size(), 8u);
  EXPECT_NEAR(bench.volts_one(1), 230.0, 0.01);
}

TEST(ChipPowerQuality, NoDipOfOneCycleEscapes) {
  for (int phase = 0; phase < 3; phase++) {
    for (int i = 0; i < 16; i++) {
      const double from = 1.0 + i * 0.00125;
      Watching bench(disturbed(190.0, from, from + 0.02, phase));
      bench.run_to(1.2, 0.2, [] {});
      EXPECT_EQ(bench.read32(0x403) & (7 * DIPA), DIPA << phase) << i;
      EXPECT_EQ(bench.read32(0x404) & 7u, 0u) << "EVENT_STATUS is over";
      EXPECT_GE(bench.level_volts(0x411 + phase), 189.9);
      EXPECT_LE(bench.level_volts(0x411 + phase), 207.0) << "DIPx keeps the lowest";
      EXPECT_EQ(bench.read32(0x411 + (phase + 1) % 3), 0x7FFFFFu);
    }
  }
}

TEST(ChipPowerQuality, StatusIsLatchedAndEventIsTheMoment) {
  Watching bench(disturbed(100.0, 1.0, 1.5, 1));
  bench.run_to(1.3, 0.05, [] {});
  EXPECT_EQ(bench.read32(0x404), 1u << 1);
  EXPECT_TRUE(bench.read32(0x403) & (DIPA << 1));
  EXPECT_NEAR(bench.level_volts(0x412), 100.0, 0.1);
  bench.run_to(1.7, 0.05, [] {});
  EXPECT_EQ(bench.read32(0x404), 0u);
  EXPECT_TRUE(bench.read32(0x403) & (DIPA << 1));
  bench.write32(0x403, DIPA << 1);
  EXPECT_FALSE(bench.read32(0x403) & (DIPA << 1));
}

TEST(ChipPowerQuality, DipCycWaitsForSoManyHalfCycles) {
  for (const auto &[cycles, expected] : {std::pair{4, true}, std::pair{12, false}}) {
    Watching bench(disturbed(100.0, 1.0, 1.08));
    bench.write16(0x48B, static_cast<uint32_t>(cycles));
    bench.run_to(1.3, 0.05, [] {});
    EXPECT_EQ((bench.read32(0x403) & DIPA) != 0, expected) << cycles;
  }
}

TEST(ChipPowerQuality, InterruptModes) {
  for (const bool once : {false, true}) {
    Watching bench(disturbed(100.0, 1.0, 1.5));
    bench.write16(0x481, 3u << 8 | (once ? 1u << 10 : 0));
    bench.run_to(1.2, 0.05, [] {});
    EXPECT_TRUE(bench.read32(0x403) & DIPA);
    bench.write32(0x403, DIPA);
    bench.run_to(1.4, 0.05, [] {});
    EXPECT_EQ((bench.read32(0x403) & DIPA) != 0, !once) << "in the middle";
    bench.write32(0x403, DIPA);
    bench.run_to(1.7, 0.05, [] {});
    EXPECT_TRUE(bench.read32(0x403) & DIPA) << "at the end";
  }
}

TEST(ChipPowerQuality, Swell) {
  Watching bench(disturbed(260.0, 1.0, 1.1, 2));
  bench.run_to(1.3, 0.05, [] {});
  EXPECT_EQ(bench.read32(0x403) & (7 * SWELLA), SWELLA << 2);
  EXPECT_NEAR(bench.level_volts(0x417), 260.0, 0.1);
}

TEST(ChipPowerQuality, Overcurrent) {
  Watching bench([](double seconds) {
    Signal signal = balanced(230.0, 5.0);
    if (seconds >= 1.0 && seconds < 1.1)
      signal.phases[1].fundamental_current = 40.0;
    return signal;
  });
  const double code = 20.0 / Bench::FULL_CURRENT * RMS_FULL_SCALE / 32;
  bench.write32(0x409, static_cast<uint32_t>(code));  // OILVL
  bench.run_to(1.05, 0.05, [] {});
  EXPECT_TRUE(bench.read16(0x48F) & 2u) << "OISTATUS of B";
  EXPECT_TRUE(bench.read16(0x48F) & 8u) << "the neutral carries what B draws beyond A and C";
  bench.run_to(1.3, 0.05, [] {});
  EXPECT_TRUE(bench.read32(0x403) & OI);
  EXPECT_EQ(bench.read16(0x48F), 0u);
  EXPECT_NEAR(bench.read32(0x40B) * 32.0 / RMS_FULL_SCALE * Bench::FULL_CURRENT, 40.0, 0.01) << "OIB";
}

TEST(ChipPowerQuality, WrongSequence) {
  Watching right(balanced(230.0, 5.0));
  right.wait(0.5);
  EXPECT_FALSE(right.read32(0x403) & SEQERR);
  Watching wrong([](double seconds) {
    Signal signal = balanced(230.0, 5.0);
    if (seconds >= 1.0) {
      signal.phases[1].voltage_angle = -120 * DEGREE;
      signal.phases[2].voltage_angle = 120 * DEGREE;
    }
    return signal;
  });
  wrong.run_to(0.99, 0.05, [] {});
  EXPECT_FALSE(wrong.read32(0x403) & SEQERR);
  wrong.run_to(1.2, 0.05, [] {});
  EXPECT_TRUE(wrong.read32(0x403) & SEQERR);
  EXPECT_NEAR(wrong.read16(0x482) * 0.017578125, 240.0, 0.02) << "ANGL_VA_VB";
}

TEST(ChipPowerQuality, ALostPhaseIsADipAndAMissingCrossing) {
  Watching bench(disturbed(0.0, 1.0, 9.0, 2));
  bench.write16(0x498, 800);  // ZXTOUT: 0.1 s
  bench.run_to(1.5, 0.05, [] {});
  EXPECT_EQ(bench.read32(0x403) & (7u << 6), 1u << 8) << "ZXTOVC";
  EXPECT_TRUE(bench.read32(0x404) & 4u);
  EXPECT_TRUE(bench.read32(0x403) & SEQERR) << "also where a phase does not cross zero (data sheet p. 37)";
}

TEST(ChipPowerQuality, PeaksOfADistortedWave) {
  Signal signal = balanced(200.0, 10.0);
  signal.phases[1].current_harmonics = {{3, 0.3, std::numbers::pi}};  // adds to the peak
  Watching bench(signal);
  EXPECT_EQ(bench.read32(0x400), 0u) << "no phase is selected";
  bench.write16(0x493, 0xF000 | 2u << 2);  // PEAKSEL: B
  bench.wait(0.1);
  const uint32_t current = bench.read32(0x400), voltage = bench.read32(0x401);
  EXPECT_EQ(current >> 24, 2u);
  const auto magnitude = [](uint32_t code) {
    return std::abs(static_cast<int32_t>(code << 8) >> 8) * 32.0 / 74532013.0;
  };
  EXPECT_NEAR(magnitude(current) * Bench::FULL_CURRENT, 13.0, 0.01);
  EXPECT_NEAR(magnitude(voltage) * Bench::FULL_VOLTAGE, 200.0, 0.07) << "128 points a cycle";
  int negative = 0;
  for (int i = 0; i < 40; i++) {
    bench.wait(0.0267);
    negative += bench.read32(0x401) >> 23 & 1;
  }
  EXPECT_GT(negative, 5) << "the peak may be one of the negative half (p. 59)";
  EXPECT_LT(negative, 35);
  bench.read32(0x400);
  EXPECT_EQ(bench.read32(0x400), 0u) << "a read clears it";
}

TEST(ChipPowerQuality, NeutralAndSumCurrent) {
  Signal signal = balanced(230.0, 10.0);
  for (PhaseSignal &phase : signal.phases)
    phase.current_harmonics = {{3, 0.2, 0.0}, {5, 0.1, 0.0}};
  const auto amperes = [](Bench &bench, uint16_t address) {
    return bench.read32(address) / RMS_FULL_SCALE * Bench::FULL_CURRENT;
  };
  Watching triplens(signal);
  EXPECT_NEAR(amperes(triplens, 0x266), 6.0, 1e-3) << "thirds add up in the neutral, fifths cancel";
  EXPECT_NEAR(amperes(triplens, 0x269), 6.0, 1e-3) << "ISUMRMS";
  EXPECT_NEAR(amperes(triplens, 0x267), 6.0, 1e-3) << "NIRMSONE";
  triplens.write32(0x060, 1);  // ISUM_CFG: with the neutral
  EXPECT_LT(amperes(triplens, 0x269), 1e-3);
  signal.earth_current = 0.3;
  Watching leaking(signal);
  leaking.write32(0x060, 1);
  EXPECT_NEAR(amperes(leaking, 0x269), 0.3, 1e-3) << "what does not come back by the neutral";
}

TEST(ChipPowerQuality, Temperature) {
  Watching bench(balanced(230.0, 1.0));
  for (const double temperature : {-20.0, 25.0, 70.0}) {
    bench.chip.set_temperature(temperature);
    bench.write16(0x4B6, 0x0C);
    bench.wait(0.01);
    EXPECT_TRUE(bench.read32(0x402) & (1u << 25));
    bench.write32(0x402, 1u << 25);
    const uint32_t trim = bench.read32(0x474);
    const double degrees = bench.read16(0x4B7) * -static_cast<double>(trim & 0xFFFF) / 65536 + (trim >> 16) / 32.0;
    EXPECT_NEAR(degrees, temperature, 0.02);
  }
}

TEST(ChipPowerQuality, ConfigurationChecksumTellsOfAnUpset) {
  constexpr uint32_t CRC_CHG = 1u << 26;
  Watching bench(balanced(230.0, 1.0));
  bench.write16(0x4B4, 1);
  bench.wait(0.05);
  bench.write32(0x403, 0xFFFFFFFF);
  bench.write16(0x4A0, 1u << 4);
  bench.write32(0x410, 77);
  bench.wait(0.05);
  EXPECT_FALSE(bench.read32(0x403) & CRC_CHG) << "WFB_CFG and DIP_LVL are optional, CRC_OPTEN leaves them out";
  bench.chip.upset_register(0x00B, 1u << 3);
  bench.wait(0.05);
  EXPECT_TRUE(bench.read32(0x403) & CRC_CHG);
}

// Data sheet: xPHCAL = 2^27 * (sin(phi - w) + sin(w)) / sin(2w - phi).
TEST(ChipPowerQuality, PhaseCompensationTurnsTheCurrent) {
  for (const double frequency : {50.0, 60.0}) {
    for (const double degrees : {-10.0, -1.0, 0.5, 2.0}) {
      Signal signal = balanced(230.0, 10.0, 60.0 + degrees);
      signal.frequency = frequency;
      Watching bench(signal);
      const double phi = degrees * DEGREE, w = 2 * std::numbers::pi * frequency / 8000;
      const double code = std::exp2(27) * (std::sin(phi - w) + std::sin(w)) / std::sin(2 * w - phi);
      bench.write32(0x006, static_cast<uint32_t>(static_cast<int32_t>(std::lround(code))));
      bench.wait(0.1);
      EXPECT_NEAR(bench.read_signed(0x210) / 20694066.0 * Bench::FULL_POWER, 1150.0, 0.05) << degrees;
      EXPECT_NEAR(bench.read_signed(0x230) / 20694066.0 * Bench::FULL_POWER,
                  2300.0 * std::cos((60.0 + degrees) * DEGREE), 0.05);
    }
  }
}

TEST(ChipPowerQuality, WiringErrorsShowInPowersAndAngles) {
  FrontEnd wiring{1000.0, 0.01};
  wiring.currents[0].gain = -1;  // transformer on L1 the wrong way round
  std::swap(wiring.currents[1], wiring.currents[2]);
  wiring.voltages[2].gain = 0;
  Watching bench(balanced(230.0, 10.0));
  bench.chip.rewire(bench.now, wiring);
  bench.wait(0.1);
  const auto watts = [&](uint16_t address) { return bench.read_signed(address) / 20694066.0 * Bench::FULL_POWER; };
  EXPECT_NEAR(watts(0x210), -2300.0, 0.01);
  EXPECT_NEAR(watts(0x230), -1150.0, 0.01) << "the current of L3 against the voltage of L2: 120 degrees";
  EXPECT_EQ(bench.read32(0x24D), 0u);
  EXPECT_NEAR(bench.read16(0x485) * 0.017578125, 180.0, 0.02);
}

TEST(ChipPowerQuality, ATransformersLeadIsNotTheLinesLag) {
  FrontEnd wiring{1000.0, 0.01};
  wiring.currents[1].lead = 2 * DEGREE;
  Watching bench(balanced(230.0, 10.0, 60.0));
  bench.chip.rewire(bench.now, wiring);
  bench.wait(0.1);
  EXPECT_NEAR(bench.read_signed(0x230) / 20694066.0 * Bench::FULL_POWER, 2300 * std::cos(58 * DEGREE), 0.01);
}

}  // namespace
}  // namespace esphome::ade9000_simulator
