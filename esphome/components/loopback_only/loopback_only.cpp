#ifdef USE_HOST

#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

// The linker's names (ld's --wrap): what the program calls bind() is __wrap_bind(), and __real_bind() is the system's.
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" int __real_bind(int socket, const sockaddr *address, socklen_t length);
extern "C" int __wrap_bind(int socket, const sockaddr *address, socklen_t length);

/// Binds a socket to the loopback address in place of every address of the computer.
///
/// With NRJ_LISTEN=all in the environment it stays at every address.
extern "C" int __wrap_bind(int socket, const sockaddr *address, socklen_t length) {
  const char *listen = std::getenv("NRJ_LISTEN");
  if (listen != nullptr && std::strcmp(listen, "all") == 0)
    return __real_bind(socket, address, length);
  if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
    sockaddr_in loopback{};
    std::memcpy(&loopback, address, sizeof(loopback));
    if (loopback.sin_addr.s_addr == htonl(INADDR_ANY)) {
      loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      return __real_bind(socket, reinterpret_cast<const sockaddr *>(&loopback), sizeof(loopback));
    }
  } else if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
    sockaddr_in6 loopback{};
    std::memcpy(&loopback, address, sizeof(loopback));
    if (std::memcmp(&loopback.sin6_addr, &in6addr_any, sizeof(in6_addr)) == 0) {
      loopback.sin6_addr = in6addr_loopback;
      return __real_bind(socket, reinterpret_cast<const sockaddr *>(&loopback), sizeof(loopback));
    }
  }
  return __real_bind(socket, address, length);
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

#endif  // USE_HOST
