using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Tests.Engine;

/// <summary>A folder with a tiny decoder of random weights, removed at the end.</summary>
internal sealed class TinyModel : IDisposable
{
    public TinyModel(
        DecoderLayout layout = DecoderLayout.Genai, DecoderPrecision precision = DecoderPrecision.Float32,
        DecoderShape? shape = null, DecoderWeights? weights = null)
    {
        Folder = Directory.CreateTempSubdirectory("cairn-engine-").FullName;
        File = DecoderFolder.Write(Folder, shape ?? DecoderShape.Tiny, layout, precision, weights);
    }

    public string Folder { get; }
    public string File { get; }

    public LanguageModel Load(EngineOptions? options = null) =>
        LanguageModel.Load(Folder, options ?? new EngineOptions { Threads = 1 }, TimeProvider.System);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public static int[] Prompt(int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(256))];
    }

    public static GenerationRequest Greedy(int[] prompt, int tokens, string caller = "", int? logprobs = null) => new()
    {
        Prompt = prompt, MaximumTokens = tokens, Sampling = new SamplingSpec { Temperature = 0, TopLogprobs = logprobs },
        IgnoreEnd = true, Caller = caller,
    };

    public static async Task<(List<SampledToken> Tokens, GenerationFinish Finish)> RunAsync(
        LanguageModel model, GenerationRequest request, CancellationToken cancellationToken = default)
    {
        var tokens = new List<SampledToken>();
        await foreach (var piece in model.Start(request, cancellationToken).ReadAllAsync(CancellationToken.None))
        {
            tokens.AddRange(piece.Tokens);
            if (piece.Finish is { } finish)
                return (tokens, finish);
        }
        throw new InvalidOperationException("the output ended without a finish");
    }
}
