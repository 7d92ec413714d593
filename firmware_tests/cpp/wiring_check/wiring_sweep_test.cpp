// The wiring check against every single and double mistake under every load: no false order, and all told by a heater.

#include "firmware_tests/cpp/support/run_length.h"
#include "firmware_tests/cpp/support/wiring_bench.h"

#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

namespace esphome::wiring_check {
namespace {

/// Connections that are wrong, of the transformers and of the voltage inputs' order and direction.
std::vector<std::pair<Installation, unsigned>> faulty_installations() {
  std::vector<std::pair<Installation, unsigned>> all;
  for (const std::array<uint8_t, 3> order :
       {std::array<uint8_t, 3>{0, 1, 2}, {1, 0, 2}, {2, 1, 0}, {0, 2, 1}, {1, 2, 0}, {2, 0, 1}}) {
    for (unsigned turned = 0; turned < 8; turned++) {
      for (unsigned voltage = 0; voltage < 7; voltage++) {
        Installation fault;
        fault.current_on = order;
        unsigned mistakes = (order != std::array<uint8_t, 3>{0, 1, 2}) + (voltage > 0);
        for (size_t i = 0; i < 3; i++) {
          fault.current_factor[i] = (turned >> i & 1) != 0 ? -1 : 1;
          mistakes += turned >> i & 1;
        }
        if (voltage >= 1 && voltage <= 3)
          fault.voltage_factor[voltage - 1] = -1;
        if (voltage >= 4)
          std::swap(fault.voltage_on[voltage - 4], fault.voltage_on[(voltage - 3) % 3]);
        if (mistakes <= 2)
          all.emplace_back(fault, mistakes);
      }
    }
  }
  return all;
}

struct SweepFigures {
  long cases{0};
  long false_orders{0};
  long told{0};
  long uncertain{0};
  long missed{0};
  long not_proven{0};
};

/// Loads of every power factor from 0.3 lagging to 0.3 leading, drawing and feeding in, on all phases or on one.
SweepFigures sweep(double step) {
  constexpr double EDGE = 72.54;  // degrees: a power factor of 0.3
  const std::array<double, 3> loads[] = {{5, 5, 5},       {20, 1, 1},      {1, 20, 1},     {1, 1, 20},
                                         {20, 20, 1},     {1, 20, 20},     {20, 1, 20},    {20, 5, 1},
                                         {6, 0.01, 0.01}, {0.01, 6, 0.01}, {0.01, 0.01, 6}};
  SweepFigures figures;
  for (const auto &[fault, mistakes] : faulty_installations()) {
    const WiringDiagnosis truth = truth_of(fault);
    for (const auto &amperes : loads) {
      for (double lag = -EDGE; lag <= EDGE; lag += step) {
        for (unsigned feeding = 0; feeding < 8; feeding++) {
          Installation house = fault;
          house.amperes = amperes;
          for (size_t i = 0; i < 3; i++)
            house.lags[i] = (feeding >> i & 1) != 0 ? lag + 180 : lag;
          figures.cases++;
          const auto diagnosis = diagnose_wiring(house.observe(), {WiringKind::WYE, 230, 0.5});
          const auto says_no_more_than = [&](const WiringDiagnosis &said) {
            bool fine = !said.same_line && !said.strange_voltages &&
                        said.reversed_sequence == truth.reversed_sequence &&
                        said.reversed_voltage == truth.reversed_voltage;
            for (size_t i = 0; i < 3; i++) {
              fine &= !said.reversed_current[i] || truth.reversed_current[i];
              fine &= said.line_of_current[i] == i || said.line_of_current[i] == truth.line_of_current[i];
            }
            return fine;
          };
          figures.false_orders += !says_no_more_than(diagnosis);
          if (mistakes == 0) {
            figures.uncertain += !diagnosis.is_complete();
            continue;
          }
          if (diagnosis.has_fault()) {
            figures.told++;
          } else if (!diagnosis.is_complete()) {
            figures.uncertain++;
          } else {
            figures.missed++;
          }
          // A heater's own current must grow: on a line that feeds in more than the heater draws nothing is proven.
          Session session{WiringKind::WYE, 230};
          const WiringDiagnosis proven = session.with_heaters(house);
          figures.false_orders += !says_no_more_than(proven);
          if (feeding == 0 && std::abs(lag) < 60) {
            bool all = true;
            for (size_t i = 0; i < 3; i++)
              all &= proven.reversed_current[i] == truth.reversed_current[i] &&
                     proven.line_of_current[i] == truth.line_of_current[i];
            figures.not_proven += !all;
          }
        }
      }
    }
  }
  return figures;
}

// One snapshot can not tell a wrong transformer from another load; a heater tells each.
TEST_F(WiringCheck, OrdersNoChangeThatAnotherLoadExplainsAndTellsEveryFaultWithAHeater) {
  const SweepFigures figures = sweep(rounds(18.0, 1.0));
  std::printf(
      "wiring sweep: %ld cases, %ld false orders, %ld told at once, %ld uncertain, %ld look right; "
      "with a heater on each line %ld not told\n",
      figures.cases, figures.false_orders, figures.told, figures.uncertain, figures.missed, figures.not_proven);
  EXPECT_EQ(figures.false_orders, 0);
  EXPECT_EQ(figures.not_proven, 0);
  EXPECT_GT(figures.told, 0);
}

/// Makes one of the twelve mistakes: a voltage input or transformer reversed, two of either exchanged.
void make_mistake(Installation &installation, size_t mistake) {
  const size_t i = mistake % 3;
  const size_t next = (i + 1) % 3;
  switch (mistake / 3) {
    case 0:
      installation.voltage_factor[i] *= -1;
      break;
    case 1:
      installation.current_factor[i] *= -1;
      break;
    case 2:
      std::swap(installation.voltage_on[i], installation.voltage_on[next]);
      break;
    default:
      std::swap(installation.current_on[i], installation.current_on[next]);
  }
}

/// Does at the meter what a finding says, as a person would.
void obey(Installation &installation, const WiringFinding &finding) {
  size_t left = 0;
  size_t right = 2;
  while (left < 2 && !finding.inputs[left])
    left++;
  while (right > 0 && !finding.inputs[right])
    right--;
  const auto before = installation;
  switch (finding.code) {
    case WiringCode::REVERSED_VOLTAGE:
    case WiringCode::REVERSED_CURRENT: {
      auto &factors =
          finding.code == WiringCode::REVERSED_VOLTAGE ? installation.voltage_factor : installation.current_factor;
      for (size_t i = 0; i < 3; i++)
        factors[i] *= finding.inputs[i] ? -1 : 1;
      break;
    }
    case WiringCode::REVERSED_SEQUENCE:
      std::swap(installation.current_on[left], installation.current_on[right]);
      [[fallthrough]];
    case WiringCode::EXCHANGED_VOLTAGES:
      std::swap(installation.voltage_on[left], installation.voltage_on[right]);
      break;
    case WiringCode::EXCHANGED_CURRENTS:
      std::swap(installation.current_on[left], installation.current_on[right]);
      break;
    case WiringCode::MISPLACED_CURRENT:
      for (size_t i = 0; i < 3; i++) {
        if (finding.inputs[i])
          installation.current_on[i] = before.voltage_on[i];
      }
      break;
    default:
      break;
  }
}

// At once, also where the signals fit other mistakes as well, such as two reversed voltage inputs, which look like the
// third one.
TEST_F(WiringCheck, WhoDoesWhatItSaysEndsWithARightMeterAfterAnyTwoMistakes) {
  int installations = 0;
  for (const double lag : {-20.0, 0.0, 10.0, 40.0}) {
    for (size_t first = 0; first < 12; first++) {
      for (size_t second = first; second < 12; second++) {
        Installation house;
        house.lags = {lag, lag, lag};
        make_mistake(house, first);
        if (second != first)
          make_mistake(house, second);
        const std::string said = codes_with_heaters(house);
        for (const WiringFinding &finding : findings_with_heaters(house))
          obey(house, finding);
        installations++;
        EXPECT_EQ(codes_with_heaters(house), "right") << "mistakes " << first << " and " << second << ": " << said;
        for (size_t i = 0; i < 3; i++) {
          EXPECT_EQ(house.current_on[i], house.voltage_on[i]) << "mistakes " << first << " and " << second;
          EXPECT_GT(house.current_factor[i] * house.voltage_factor[i], 0) << "mistakes " << first << " and " << second;
        }
      }
    }
  }
  EXPECT_EQ(installations, 4 * 78);
}

}  // namespace
}  // namespace esphome::wiring_check
