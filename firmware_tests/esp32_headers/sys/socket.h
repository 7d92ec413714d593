#pragma once
#include <cstddef>
#include <cstdint>
#include <sys/types.h>
using socklen_t = uint32_t;
using sa_family_t = uint8_t;
using in_addr_t = uint32_t;
using in_port_t = uint16_t;
#define INADDR_NONE 0xFFFFFFFFU
#define INADDR_ANY 0U
constexpr size_t INET_ADDRSTRLEN = 16;
constexpr size_t INET6_ADDRSTRLEN = 46;
struct in_addr {
  in_addr_t s_addr;
};
struct in6_addr {
  uint8_t s6_addr[16];
};
struct sockaddr {
  uint8_t sa_len;
  sa_family_t sa_family;
  char sa_data[14];
};
struct sockaddr_in {
  uint8_t sin_len;
  sa_family_t sin_family;
  in_port_t sin_port;
  in_addr sin_addr;
};
struct sockaddr_storage {
  uint8_t s2_len;
  sa_family_t ss_family;
  char s2_data[26];
};
constexpr int AF_INET = 2;
constexpr int AF_INET6 = 10;
constexpr int SHUT_RDWR = 2;
constexpr int IPPROTO_TCP = 6;
constexpr int TCP_NODELAY = 1;
constexpr int SOL_SOCKET = 0xFFF;
