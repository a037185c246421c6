using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Sampling;
using CsCheck;

namespace Cairn.Frameworks.Tests.Engine;

/// <summary>The engine's promise: whatever runs beside it, a request's greedy output is what it is alone, token for token.</summary>
[Trait("speed", "slow")]
public sealed class Batched_output
{
    /// <summary>
    /// Two tokens whose log-probabilities differ by less than single precision's rounding over a sum of hundreds of terms are a tie: either
    /// may win.
    /// </summary>
    private const float Tie = 1e-4f;

    private sealed record Request(int Prefix, int Shared, int Own, int Output, int AfterPieces, int? CancelAfter);

    private static readonly Gen<Request> Requests =
        from prefix in Gen.Int[0, 1]
        from shared in Gen.Int[0, 100]
        from own in Gen.Int[1, 60]
        from output in Gen.Int[1, 90]
        from after in Gen.Int[0, 120]
        from cancel in Gen.Frequency((4, Gen.Const(-1)), (1, Gen.Int[0, 20]))
        select new Request(prefix, shared, own, output, after, cancel < 0 ? null : cancel);

    private static readonly Gen<(int Rows, int Blocks, int PrefixBlocks)> Sizes =
        Gen.Select(Gen.Int[1, 6], Gen.Int[16, 28], Gen.Int[0, 40]);

    [Theory]
    [InlineData("genai", false)]
    [InlineData("genai", true)]
    [InlineData("community", true)]
    public async Task Is_what_each_request_says_alone(string layout, bool copies)
    {
        using var model = new TinyModel(layout == "genai" ? DecoderLayout.Genai : DecoderLayout.Community);
        await using var single = model.Load(new EngineOptions { Threads = 1, Rows = 1, PrefixCacheBytes = 0, CopyCache = copies });
        var known = new Dictionary<string, List<SampledToken>>();
        var ties = 0;
        var (preemptions, hits) = (0L, 0L);
        Gen.Select(Sizes, Requests.List[1, 12]).Sample((sizes, requests) =>
        {
            var options = new EngineOptions
            {
                Threads = 1, Rows = sizes.Rows, KeyValueBytes = sizes.Blocks * BlockBytes,
                PrefixCacheBytes = sizes.PrefixBlocks * BlockBytes, CopyCache = copies, StepBudgetMilliseconds = 1,
            };
            var (outputs, statistics) = RunTogether(model, options, requests).GetAwaiter().GetResult();
            preemptions += statistics.Preemptions;
            hits += statistics.PrefixHits;
            foreach (var (request, tokens) in requests.Zip(outputs))
                ties += Compare(Alone(single, request, known), tokens, request.CancelAfter is null) ? 0 : 1;
        }, iter: 40, threads: 1);
        Assert.InRange(ties, 0, 3);
        Assert.True(preemptions > 0 && hits > 0,
            $"{preemptions} preemptions and {hits} tokens from the prefix cache: the property saw too little");
    }

    [Fact]
    public async Task Differs_when_a_row_is_given_another_rows_memory()
    {
        // The control: the comparison above must be able to fail.
        using var model = new TinyModel();
        await using var engine = model.Load();
        var (first, _) = await TinyModel.RunAsync(engine, TinyModel.Greedy(TinyModel.Prompt(1, 40), 20, logprobs: 2));
        var (second, _) = await TinyModel.RunAsync(engine, TinyModel.Greedy([.. TinyModel.Prompt(2, 39), TinyModel.Prompt(1, 40)[^1]], 20));
        Assert.Throws<Xunit.Sdk.EqualException>(() => Compare(first, second, whole: true));
    }

    /// <summary>Of <see cref="DecoderShape.Tiny"/>: 2 layers, keys and values, 2 heads of 16 floats, 16 tokens.</summary>
    private const long BlockBytes = 2 * 2 * 2 * 16 * 4 * 16;

    /// <returns>False where a tie ended the comparison.</returns>
    private static bool Compare(List<SampledToken> expected, List<SampledToken> actual, bool whole)
    {
        for (var i = 0; i < actual.Count; i++)
        {
            if (expected[i].Token != actual[i].Token && expected[i].Top[0].Logprob - expected[i].Top[1].Logprob < Tie)
                return false;
            Assert.Equal(expected[i].Token, actual[i].Token);
        }
        Assert.True(!whole || actual.Count == expected.Count, $"{actual.Count} tokens came; expected {expected.Count}");
        return true;
    }

    private static int[] PromptOf(Request request) =>
        [.. TinyModel.Prompt(request.Prefix, 100)[..request.Shared], .. TinyModel.Prompt(request.Own * 1000 + request.Output, request.Own)];

    private static List<SampledToken> Alone(LanguageModel single, Request request, Dictionary<string, List<SampledToken>> known)
    {
        var key = $"{request.Prefix} {request.Shared} {request.Own} {request.Output}";
        if (!known.TryGetValue(key, out var tokens))
        {
            var greedy = TinyModel.Greedy(PromptOf(request), request.Output, logprobs: 2);
            known[key] = tokens = TinyModel.RunAsync(single, greedy).GetAwaiter().GetResult().Tokens;
        }
        return tokens;
    }

    private static async Task<(List<SampledToken>[] Outputs, EngineStatistics Statistics)> RunTogether(
        TinyModel model, EngineOptions options, List<Request> requests)
    {
        await using var engine = model.Load(options);
        var pieces = new Progress();
        var outputs = await Task.WhenAll(requests.Select(async request =>
        {
            await pieces.ReachAsync(request.AfterPieces);
            using var cancel = new CancellationTokenSource();
            var tokens = new List<SampledToken>();
            if (request.CancelAfter == 0)
                await cancel.CancelAsync();
            var generation = engine.Start(TinyModel.Greedy(PromptOf(request), request.Output, $"caller {request.Prefix}"), cancel.Token);
            pieces.Begin();
            await foreach (var piece in generation.ReadAllAsync(CancellationToken.None))
            {
                tokens.AddRange(piece.Tokens);
                pieces.Tell();
                if (tokens.Count == request.CancelAfter)
                    await cancel.CancelAsync();
                if (piece.Finish is { } finish)
                    Assert.True(finish.Reason == FinishReason.Length || request.CancelAfter < request.Output, $"ended by {finish.Reason}");
            }
            pieces.End();
            return tokens;
        }));
        return (outputs, engine.Statistics);
    }

    /// <summary>Lets requests arrive after so many pieces of others, or when nothing is under way any more.</summary>
    private sealed class Progress
    {
        private readonly Lock _lock = new();
        private readonly List<(int Pieces, TaskCompletionSource Reached)> _waiting = [];
        private int _told;
        private int _under;

        public Task ReachAsync(int pieces)
        {
            lock (_lock)
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add((pieces, reached));
                Release();
                return reached.Task;
            }
        }

        public void Begin() => Change(() => { });

        public void Tell() => Change(() => _told++);

        public void End() => Change(() => _under--);

        private void Change(Action change)
        {
            lock (_lock)
            {
                change();
                Release();
            }
        }

        private void Release()
        {
            foreach (var entry in _waiting.Where(w => w.Pieces <= _told).ToList())
                Free(entry);
            if (_under == 0 && _waiting.Count > 0)
                Free(_waiting.MinBy(w => w.Pieces));
        }

        private void Free((int Pieces, TaskCompletionSource Reached) entry)
        {
            _waiting.Remove(entry);
            _under++;
            entry.Reached.SetResult();
        }
    }
}
