#pragma once

#include <cstdlib>

/// How much a test of many rounds runs: a little with every run of the tests, much more with `run --long`.
template<typename T> T rounds(T brief, T extensive) {
  return std::getenv("NRJ_LONG_RUNS") != nullptr ? extensive : brief;
}
