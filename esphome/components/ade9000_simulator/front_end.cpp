#include "front_end.h"

namespace esphome::ade9000_simulator {

using mains_signal::current_spectrum;
using mains_signal::PHASES;
using mains_signal::Signal;
using mains_signal::Spectrum;
using mains_signal::voltage_spectrum;

Inputs inputs_of(const Signal &signal, const FrontEnd &front_end) {
  std::array<Spectrum, PHASES> voltages;
  std::array<Spectrum, PHASES> currents;
  Inputs inputs;
  for (int phase = 0; phase < PHASES; phase++) {
    voltages[phase] = voltage_spectrum(signal.phases[phase], phase);
    currents[phase] = current_spectrum(signal.phases[phase], phase);
    inputs.neutral += currents[phase].delayed(0.0, -front_end.neutral_gain);
  }
  inputs.neutral.add(1, std::polar(signal.earth_current * front_end.neutral_gain, signal.phases[0].voltage_angle));
  for (int input = 0; input < PHASES; input++) {
    const VoltageInput &voltage = front_end.voltages[input];
    inputs.voltage[input] = voltages[voltage.phase].delayed(0.0, voltage.gain);
    if (voltage.reference != VoltageInput::NEUTRAL)
      inputs.voltage[input] += voltages[voltage.reference].delayed(0.0, -voltage.gain);
    const CurrentInput &current = front_end.currents[input];
    inputs.current[input] = currents[current.phase].delayed(-current.lead, current.gain);
  }
  return inputs;
}

}  // namespace esphome::ade9000_simulator
