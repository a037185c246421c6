using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.ModelCatalog;

namespace Cairn.Frameworks.Tests.Fitting;

/// <summary>
/// NVIDIA's table of TensorRT-LLM 1.0 (docs/source/performance/perf-overview.md): output tokens per second of all GPUs under as much
/// load as they take, for prompts and answers of these lengths.
/// </summary>
public static class Published_throughput
{
    private static readonly (int Input, int Output)[] s_lengths =
        [(128, 128), (128, 2048), (128, 4096), (500, 2000), (1000, 1000), (1000, 2000), (2048, 128), (2048, 2048), (5000, 500), (20000,
            2000)];

    internal static readonly Column[] Columns =
    [
        new("llama-3.1-8b", Cards.H100, 1, WeightPrecision.Fp8, [28312, 22714, 14325, 17660, 15220, 13899, 3450, 9305, 3459, 1351],
            Calibrates: true),
        new("llama-3.1-8b", Cards.H200, 1, WeightPrecision.Fp8, [27911, 26221, 18027, 20770, 17744, 16828, 3538, 12194, 3902, 1804],
            Calibrates: true),
        new("llama-3.3-70b", Cards.H100, 2, WeightPrecision.Fp8, [6378, 6651, 4199, 5222, 4205, 4146, 762, 3082, 898, 437]),
        new("llama-3.3-70b", Cards.H200, 1, WeightPrecision.Fp8, [3803, 4336, 2872, 3666, 2909, 2994, 442, 2003, 566, 283]),
        new("llama-3.1-405b", Cards.H100, 8, WeightPrecision.Fp8, [3627, 4340, 3116, 3994, 2919, 2895, 453, 2296, 610, 345]),
        new("llama-3.1-405b", Cards.H200, 8, WeightPrecision.Fp8, [3814, 5348, 4741, 4724, 3330, 3722, 456, 2948, 650, 505]),
        new("llama-3.3-70b", Cards.B200, 1, WeightPrecision.Nvfp4, [11147, 9922, 6831, 7762, 7007, 6271, 1339, 4783, 1459, 665],
            Calibrates: true),
        new("llama-3.1-405b", Cards.B200, 4, WeightPrecision.Nvfp4, [6281, 8020, 6345, 6244, 5209, 4933, 749, 4212, 1048, 672],
            Calibrates: true),
        new("llama-3.3-70b", Cards.RtxPro6000, 1, WeightPrecision.Nvfp4, [3264, 2422, 1349, 1856, 1787, 1594, 393, 1074, 401, 142]),
        new("qwen3-235b-a22b", Cards.H100, 8, WeightPrecision.Fp8, [0, 19658, 12447, 18351, 14898, 15136, 0, 9924, 3225, 0],
            Calibrates: true),
        new("qwen3-235b-a22b", Cards.H200, 8, WeightPrecision.Fp8, [30429, 42821, 26852, 28026, 23789, 22061, 3331, 16672, 3623, 1876],
            Calibrates: true),
        new("qwen3-30b-a3b", Cards.B200, 1, WeightPrecision.Nvfp4, [39827, 37844, 24953, 27817, 25828, 22051, 6251, 17554, 6142, 2944]),
    ];

    /// <param name="Calibrates">True where the constants of <see cref="EngineEfficiency"/> were set on it; the others were not looked
    /// at for that.</param>
    /// <param name="Measured">In the order of the lengths; 0 where the table has none.</param>
    internal sealed record Column(
        string Model, ServingAccelerator Card, int TensorParallel, WeightPrecision Precision, double[] Measured, bool Calibrates = false)
    {
        public string Name => $"{Model} on {TensorParallel} × {Card.Name}";

        /// <summary>Computed ÷ measured − 1 of every cell.</summary>
        public IReadOnlyList<(int Input, int Output, double Measured, double Computed)> Cells() =>
            [.. s_lengths.Zip(Measured).Where(cell => cell.Second > 0).Select(cell => (cell.First.Input, cell.First.Output, cell.Second,
                Compute(cell.First)))];

        public IReadOnlyList<double> Errors() => [.. Cells().Select(cell => cell.Computed / cell.Measured - 1)];

        // The runs give 95 % of what the weights leave to keys and values, which these checkpoints keep in 8 bits. With experts,
        // attention ran data parallel:
        // every GPU had its own sequences.
        private double Compute((int Input, int Output) lengths)
        {
            var model = OpenModels.Find(Model)!;
            var need = new FitNeed
            {
                InputTokens = lengths.Input, OutputTokens = lengths.Output, Precision = Precision, KvPrecision = KvPrecision.Fp8,
                    MemoryShare = 0.95,
                MostSequences = 512 * (model.Shape.FeedForward.Experts is null ? 1 : TensorParallel),
            };
            var engine = EngineEfficiency.Calibrated;
            var machine = new ServingMachine(Card, TensorParallel);
            var layout = new Layout(TensorParallel);
            var memory = MemoryNeed.Of(model, need, Precision, layout, Card, engine);
            var sequences = (int)Math.Clamp(memory.Sequences, 1, need.MostSequences);
            return SpeedEstimate.Of(new Roofline(model, Precision, need.KvPrecision, layout, machine, engine), need,
                sequences).OutputTokensPerSecond;
        }
    }
}
