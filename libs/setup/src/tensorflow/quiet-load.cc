// Loaded before the TensorFlow binding. TensorFlow's library writes notes to standard error while it is being loaded,
// whatever TF_CPP_MIN_LOG_LEVEL says; this loads it with standard error closed off. Should that fail, loading the
// binding fails again, with its message. TENSORFLOW_LIBRARY is found by this file's own run path.
#include <dlfcn.h>
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>

NAPI_MODULE_INIT() {
  const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const int kept = dup(STDERR_FILENO);
  if (null >= 0 && kept >= 0) dup2(null, STDERR_FILENO);
  dlopen(TENSORFLOW_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
  if (kept >= 0) dup2(kept, STDERR_FILENO);
  close(null);
  close(kept);
  return exports;
}
