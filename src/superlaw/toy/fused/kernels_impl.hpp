// The kernels of one training step, compiled once for each instruction set: dense_tile.hpp and
// sparse_tile.hpp form the gradient of a tile of columns of G, update.hpp takes the step.
#include "kernels.hpp"
#include "random.hpp"
#include "sparse_tile.hpp"
#include "update.hpp"

namespace superlaw {
#define SUPERLAW_NAME2(isa) isa##_kernels
#define SUPERLAW_NAME(isa) SUPERLAW_NAME2(isa)
#define SUPERLAW_TEXT2(isa) #isa
#define SUPERLAW_TEXT(isa) SUPERLAW_TEXT2(isa)

namespace isa = SUPERLAW_ISA;
using Output = isa::ReluSquaredError;

const Kernels SUPERLAW_NAME(SUPERLAW_ISA) = {
    SUPERLAW_TEXT(SUPERLAW_ISA), isa::kTile,       isa::kLanes,
    isa::kAccumulators,          Output::kScale,   isa::exponentials,
    isa::uniforms,               isa::pack,        isa::dense_tile<Output>,
    isa::dense_rows,             isa::sum_h,       isa::sparse_tile<Output>,
    isa::sparse_h,               isa::sparse_rows, isa::update_rows,
    isa::multiply_adds};
}  // namespace superlaw
