using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Gguf;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Tests.LlamaCpp;

/// <summary>The decoders with random weights that tests and benchmarks make: the engine and llama.cpp say the same of them.</summary>
[Trait("speed", "slow")]
public sealed class Llama_cpp_runs_a_made_decoder : IDisposable
{
    // More tokens than bytes, so that the vocabulary has merges.
    private static readonly DecoderShape s_shape = DecoderShape.Tiny with { Vocabulary = 1000 };
    private const int Most = 32;
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-made-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task With_the_engines_greedy_tokens()
    {
        var weights = RandomWeights.Seeded(5);
        DecoderFolder.Write(_folder, s_shape, weights: weights);
        var file = Path.Combine(_folder, "model.gguf");
        var vocabulary = GgufVocabulary.Read(_folder, s_shape.Vocabulary);
        LlamaGguf.Write(file, s_shape, weights, vocabulary, GgufType.F32, TestContext.Current.CancellationToken);

        await using var engine = LanguageModel.Load(_folder, new EngineOptions { Rows = 1, Threads = 1 }, TimeProvider.System);
        await using var server = await LlamaServer.StartAsync(
            "-m", file, "-t", "1", "-np", "1", "-ctk", "f32", "-ctv", "f32", "-fa", "off", "--no-warmup");
        foreach (var length in new[] { 1, 7, 100 })
        {
            int[] prompt = [.. Enumerable.Range(0, length).Select(i => (i * 37 + length) % s_shape.Vocabulary)];
            var answer = await server.PostAsync("completion", new
            {
                prompt, n_predict = Most, temperature = 0, ignore_eos = true, cache_prompt = false, return_tokens = true,
            });
            var said = answer.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32());
            Assert.Equal(await GenerateAsync(engine, prompt), said);
        }
    }

    private static async Task<List<int>> GenerateAsync(LanguageModel engine, int[] prompt)
    {
        var sampling = new SamplingSpec { Temperature = 0, LogitBias = new Dictionary<int, float> { [ByteTokenizer.End] = -100 } };
        var request = new GenerationRequest { Prompt = prompt, MaximumTokens = Most, Sampling = sampling };
        var generation = engine.Start(request, TestContext.Current.CancellationToken);
        var said = new List<int>();
        await foreach (var piece in generation.ReadAllAsync(TestContext.Current.CancellationToken))
            said.AddRange(piece.Tokens.Select(token => token.Token));
        return said;
    }
}
