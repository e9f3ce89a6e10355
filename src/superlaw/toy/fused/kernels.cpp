// Compiled once for each instruction set, with SUPERLAW_ISA naming it (CMakeLists.txt).
#include "kernels_impl.hpp"
