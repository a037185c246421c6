using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.Frameworks.Tests.OpenAi;

/// <summary>One host for the tests of a class: a real tiny model with random weights, and an embedder made for the tests.</summary>
public sealed class ServedTinyModel : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public EngineHost Host { get; private set; } = null!;

    public string Address => Host.HttpAddress;

    public LanguageModel Model => ((ServedLanguageModel)Host.Models.Find("tiny")!).Model;

    public async ValueTask InitializeAsync()
    {
        DecoderFolder.Write(_folder.Path, DecoderShape.Tiny with { Context = 1024 });
        Host = await EngineHosts.StartAsync(new ModelSource("tiny", _folder.Path, new EngineOptions { Rows = 4, Threads = 1 }));
        await Host.Ready;
        Host.Models.TryAdd(new LetterEmbedder());
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Counts a text's letters modulo three; enough to see that vectors arrive as they were made.</summary>
    private sealed class LetterEmbedder() : ServedModel("letters", DateTimeOffset.UnixEpoch), ITextEmbedder
    {
        public int Dimensions => 3;

        public Task<EmbeddedTexts> EmbedAsync(IReadOnlyList<EmbeddingInput> inputs, CancellationToken cancellationToken)
        {
            if (inputs.Any(input => input.Text?.Length > 100))
                throw new ArgumentException("An input has more than 100 letters.");
            var vectors = inputs.Select(input =>
            {
                var vector = new float[3];
                foreach (var code in input.Tokens ?? input.Text!.Select(letter => (int)letter))
                    vector[code % 3] += 0.25f;
                return vector;
            });
            return Task.FromResult(new EmbeddedTexts([.. vectors], inputs.Sum(input => input.Tokens?.Length ?? input.Text!.Length)));
        }

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
