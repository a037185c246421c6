using System.Text.Json;
using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Onnx.Decoders;
using Cairn.Frameworks.Sampling;

namespace Cairn.Frameworks.Tests.Engine;

public sealed class Running_generations
{
    /// <summary>Longer than anything else takes here: a generation that a test cancels or waits beside goes on until then.</summary>
    private const int Long = 60_000;

    private static readonly EngineOptions s_oneRow = new() { Threads = 1, Rows = 1, ReaderLagPieces = Long };

    [Fact]
    public async Task A_client_that_cancels_frees_its_row_within_a_step()
    {
        using var model = LongModel();
        await using var engine = model.Load(s_oneRow);
        using var cancel = new CancellationTokenSource();
        await using var reader = engine.Start(TinyModel.Greedy([1, 2, 3], Long), cancel.Token)
            .ReadAllAsync(CancellationToken.None).GetAsyncEnumerator();
        await reader.MoveNextAsync();
        await cancel.CancelAsync();
        var at = engine.Statistics.Steps;
        var finish = await LastAsync(reader);

        // The step that runs ends, and with the next one the row is somebody else's; statistics are told after a step.
        Assert.Equal(FinishReason.Cancelled, finish.Reason);
        await UntilAsync(() => engine.Statistics.Running == 0);
        Assert.InRange(engine.Statistics.Steps - at, 0, 2);
        Assert.Equal(5, (await TinyModel.RunAsync(engine, TinyModel.Greedy([4], 5))).Finish.OutputTokens);
    }

    [Fact]
    public async Task A_reader_that_leaves_ends_its_generation()
    {
        using var model = LongModel();
        await using var engine = model.Load(s_oneRow);
        await foreach (var _ in engine.Start(TinyModel.Greedy([1], Long), CancellationToken.None).ReadAllAsync(CancellationToken.None))
            break;
        await UntilAsync(() => engine.Statistics.Running == 0);
        Assert.True(engine.Statistics.GeneratedTokens < Long);
    }

    [Fact]
    public async Task A_request_cancelled_before_it_began_is_never_run()
    {
        using var model = new TinyModel();
        await using var engine = model.Load();
        var (tokens, finish) = await TinyModel.RunAsync(engine, TinyModel.Greedy([1], 9), new CancellationToken(canceled: true));
        Assert.Empty(tokens);
        Assert.Equal(FinishReason.Cancelled, finish.Reason);
        Assert.Equal(0, engine.Statistics.GeneratedTokens);
    }

    [Fact]
    public async Task Two_hundred_clients_on_eight_rows_all_finish()
    {
        using var model = new TinyModel();
        await using var engine = model.Load(new EngineOptions { Threads = 1, Rows = 8 });
        var clients = Enumerable.Range(0, 200).Select(i =>
            TinyModel.RunAsync(engine, TinyModel.Greedy(TinyModel.Prompt(i, 1 + i % 60), 1 + i % 24, $"caller {i % 5}"))).ToList();
        var ends = await Task.WhenAll(clients).WaitAsync(TimeSpan.FromMinutes(3));
        for (var i = 0; i < ends.Length; i++)
            Assert.Equal((FinishReason.Length, 1 + i % 24), (ends[i].Finish.Reason, ends[i].Tokens.Count));
        await UntilAsync(() => engine.Statistics is { Running: 0, Waiting: 0, CacheUsage: 0 });
        Assert.Equal(ends.Sum(e => e.Tokens.Count), engine.Statistics.GeneratedTokens);
    }

    [Fact]
    public async Task A_reader_that_does_not_read_costs_bounded_memory_and_harms_nobody()
    {
        using var model = new TinyModel();
        await using var engine = model.Load(new EngineOptions { Threads = 1, ReaderLagPieces = 16 });
        var unread = engine.Start(TinyModel.Greedy([1], 200), CancellationToken.None);
        await UntilAsync(() => engine.Statistics is { Running: 0, GeneratedTokens: > 0 });
        Assert.Equal(10, (await TinyModel.RunAsync(engine, TinyModel.Greedy([2], 10))).Tokens.Count);

        var pieces = 0;
        var error = await Assert.ThrowsAsync<EngineException>(async () =>
        {
            await foreach (var _ in unread.ReadAllAsync(CancellationToken.None))
                pieces++;
        });
        Assert.Contains(nameof(EngineOptions.ReaderLagPieces), error.Message, StringComparison.Ordinal);
        Assert.Equal(16, pieces);
        Assert.InRange(engine.Statistics.GeneratedTokens, 17, 40);
    }

    [Fact]
    public async Task What_cannot_be_served_is_refused_before_it_is_queued()
    {
        using var model = new TinyModel();
        await using var engine = model.Load();
        Assert.Equal(RequestRefusal.PromptTooLong, Refusal(new int[256]));
        Assert.Equal(RequestRefusal.EmptyPrompt, Refusal([]));
        Assert.Equal(RequestRefusal.UnknownToken, Refusal([260]));
        Assert.Equal(RequestRefusal.InvalidSampling, Refusal([1], new SamplingSpec { Temperature = 3 }));
        Assert.Equal(0, engine.Statistics.Waiting);
        Assert.Equal(1, (await TinyModel.RunAsync(engine, TinyModel.Greedy(new int[255], 9))).Finish.OutputTokens);

        RequestRefusal Refusal(int[] prompt, SamplingSpec? sampling = null) => Assert.Throws<RequestRefusedException>(() =>
            engine.Start(TinyModel.Greedy(prompt, 4) with { Sampling = sampling ?? new() }, CancellationToken.None)).Reason;
    }

    [Fact]
    public async Task One_more_than_may_wait_is_refused_and_a_place_comes_free_again()
    {
        using var model = LongModel();
        await using var engine = model.Load(new EngineOptions { Threads = 1, Rows = 1, QueueLimit = 2, ReaderLagPieces = Long });
        using var cancel = new CancellationTokenSource();
        for (var i = 0; i < 3; i++)
            engine.Start(TinyModel.Greedy([1], Long), cancel.Token);
        var refused = Assert.Throws<RequestRefusedException>(() => engine.Start(TinyModel.Greedy([1], Long), cancel.Token));
        Assert.Equal(RequestRefusal.QueueFull, refused.Reason);
        await cancel.CancelAsync();
        await UntilAsync(() => engine.Statistics is { Running: 0, Waiting: 0 });
        Assert.Single((await TinyModel.RunAsync(engine, TinyModel.Greedy([1], 1))).Tokens);
    }

    [Fact]
    public async Task Unloading_ends_what_runs_with_an_error_and_refuses_what_comes()
    {
        using var model = LongModel();
        var engine = model.Load(s_oneRow);
        var running = TinyModel.RunAsync(engine, TinyModel.Greedy([1], Long));
        await engine.DisposeAsync();
        await engine.DisposeAsync();
        await Assert.ThrowsAnyAsync<EngineException>(() => running);
        Assert.Throws<ObjectDisposedException>(() => engine.Start(TinyModel.Greedy([1], 1), CancellationToken.None));
    }

    [Fact]
    public async Task A_model_that_overflows_for_one_prompt_ends_that_generation_only()
    {
        const int Poison = 2;
        using var model = new TinyModel(weights: (name, rows, columns) =>
        {
            var weights = RandomWeights.Seeded(1)(name, rows, columns);
            if (name == WeightNames.Embedding)
                weights.AsSpan(Poison * columns, columns).Fill(float.NaN);
            return weights;
        });
        await using var engine = model.Load();
        var request = TinyModel.Greedy([1], 60) with
        {
            Sampling = new SamplingSpec { Temperature = 0, LogitBias = new Dictionary<int, float> { [Poison] = -100 } },
        };
        var well = TinyModel.RunAsync(engine, request);
        var error = await Assert.ThrowsAsync<EngineException>(() => TinyModel.RunAsync(engine, request with { Prompt = [5, Poison] }));
        Assert.Contains("logits", error.Message, StringComparison.Ordinal);
        Assert.Equal(60, (await well).Tokens.Count);
        Assert.Null(engine.Fault);
    }

    [Fact]
    public async Task An_end_token_and_a_stop_string_end_the_output_and_are_not_in_it()
    {
        using var model = new TinyModel();
        await using var engine = model.Load();
        var request = TinyModel.Greedy(TinyModel.Prompt(3, 20), 40);
        var (free, _) = await TextAsync(engine, request);
        var stop = free[3..6];
        var (stopped, finish) = await TextAsync(engine, request with { Stops = [stop] });
        Assert.Equal(FinishReason.Stop, finish.Reason);
        Assert.Equal(free[..free.IndexOf(stop, StringComparison.Ordinal)], stopped);

        var end = engine.EndTokens[0];
        var ending = new SamplingSpec { Temperature = 0, LogitBias = new Dictionary<int, float> { [end] = 100 } };
        var forced = request with { IgnoreEnd = false, Sampling = ending };
        var (tokens, ended) = await TinyModel.RunAsync(engine, forced);
        Assert.Equal((FinishReason.Stop, 0), (ended.Reason, tokens.Count));
    }

    [Fact]
    public async Task A_constrained_output_is_what_its_schema_accepts_beside_free_ones()
    {
        using var model = new TinyModel();
        await using var engine = model.Load();
        using var schema = JsonDocument.Parse("""
            {"type":"object","properties":{"on":{"type":"boolean"},"kind":{"enum":["row","block"]}},
             "required":["on","kind"],"additionalProperties":false}
            """);
        var free = TinyModel.RunAsync(engine, TinyModel.Greedy([9], 60));
        var request = TinyModel.Greedy(TinyModel.Prompt(4, 12), 120) with { Grammar = Grammar.FromJsonSchema(schema.RootElement) };
        var (text, finish) = await TextAsync(engine, request);
        using var said = JsonDocument.Parse(text);
        Assert.Equal(FinishReason.Stop, finish.Reason);
        Assert.Contains(said.RootElement.GetProperty("kind").GetString(), (string[])["row", "block"]);
        Assert.Equal(60, (await free).Tokens.Count);
    }

    [Fact]
    public async Task A_finish_tells_what_was_cached_and_how_long_it_took()
    {
        using var model = new TinyModel();
        await using var engine = model.Load();
        var prompt = TinyModel.Prompt(8, 100);
        var first = (await TinyModel.RunAsync(engine, TinyModel.Greedy(prompt, 5))).Finish;
        var second = (await TinyModel.RunAsync(engine, TinyModel.Greedy(prompt, 5))).Finish;
        Assert.Equal((0, 96), (first.CachedTokens, second.CachedTokens));
        Assert.True(first.Prefill > TimeSpan.Zero && first.Decode > TimeSpan.Zero && first.Queued >= TimeSpan.Zero);
        Assert.Equal((200L, 96L), (engine.Statistics.PrefixQueries, engine.Statistics.PrefixHits));
    }

    private static TinyModel LongModel() => new(shape: DecoderShape.Tiny with { Context = 65_536 });

    private static async Task<(string Text, GenerationFinish Finish)> TextAsync(LanguageModel engine, GenerationRequest request)
    {
        var text = "";
        GenerationFinish? finish = null;
        await foreach (var piece in engine.Start(request, CancellationToken.None).ReadAllAsync(CancellationToken.None))
            (text, finish) = (text + piece.Text, piece.Finish);
        return (text, finish!);
    }

    private static async Task<GenerationFinish> LastAsync(IAsyncEnumerator<GenerationPiece> reader)
    {
        while (await reader.MoveNextAsync())
            if (reader.Current.Finish is { } finish)
                return finish;
        throw new InvalidOperationException("the output ended without a finish");
    }

    internal static async Task UntilAsync(Func<bool> holds)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!holds())
            await Task.Delay(1, late.Token);
    }
}
