#pragma once

#include "esphome/core/defines.h"
#ifdef USE_ADE9000_SPI

#include "ade9000_transport.h"

#include "esphome/components/spi/spi.h"
#include "esphome/core/component.h"

namespace esphome::ade9000 {

/** The chip on an SPI bus: MSB first, clock idle high (mode 3, as UG-1098 recommends).
 *
 * The chip allows 20 MHz; 5 MHz leaves margin for long wires, and one update needs less than 5 ms.
 */
class Ade9000SpiTransport : public Ade9000Transport,
                            public Component,
                            public spi::SPIDevice<spi::BIT_ORDER_MSB_FIRST, spi::CLOCK_POLARITY_HIGH,
                                                  spi::CLOCK_PHASE_TRAILING, spi::DATA_RATE_5MHZ> {
 public:
  void setup() override { this->spi_setup(); }
  float get_setup_priority() const override { return setup_priority::HARDWARE; }
  void transfer(uint8_t *data, size_t length) override {
    this->enable();
    this->transfer_array(data, length);
    this->disable();
  }
};

}  // namespace esphome::ade9000

#endif  // USE_ADE9000_SPI
