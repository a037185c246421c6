using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Fitting;

/// <summary>How one replica lies on accelerators.</summary>
/// <param name="TensorParallel">Accelerators of one machine that divide each layer (Shoeybi et al. 2019, arXiv 1909.08053).</param>
/// <param name="Stages">Machines that divide the layers (pipeline parallelism).</param>
public sealed record Layout(int TensorParallel, int Stages = 1)
{
    public int Accelerators => TensorParallel * Stages;

    /// <summary>
    /// The numbers of accelerators over which a model's layers divide evenly: powers of two that divide the query heads, and the heads
    /// of keys and values or are divided by them, as vLLM requires it of <c>--tensor-parallel-size</c>.
    /// </summary>
    public static IEnumerable<int> TensorSplits(ModelShape shape, int most)
    {
        ArgumentNullException.ThrowIfNull(shape);
        for (var split = 1; split <= most; split *= 2)
        {
            var heads = shape.Attention;
            if (heads.Heads % split == 0 && Divides(heads.KvHeads, split) && Divides(heads.Global?.KvHeads ?? 0, split))
                yield return split;
        }
    }

    private static bool Divides(int heads, int split) => heads == 0 || heads % split == 0 || split % heads == 0;
}
