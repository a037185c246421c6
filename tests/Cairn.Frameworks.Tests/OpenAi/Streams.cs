using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Metrics;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.OpenAi.Answers;
using Cairn.Frameworks.Sampling;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Frameworks.Tests.OpenAi;

public sealed class Streams
{
    private static readonly AnswerHead s_head = new("chatcmpl-1", 1_700_000_000, "tiny \"q\"");
    private static readonly SampledToken s_token = new(1, -0.5f, []);
    private static readonly GenerationFinish s_stop = new(FinishReason.Stop, 5, 2, 3);

    [Fact]
    public async Task A_chat_begins_with_the_role_ends_with_the_reason_and_is_done()
    {
        var text = await ChatAsync(includeUsage: false, [Piece("Grüß\n"), Piece("\"Gott\" \u2028"), new("!", [s_token], s_stop)]);

        var common = $$"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"tiny \"q\"","system_fingerprint":"{{AnswerHead.Fingerprint}}","choices":[{"index":0,""";
        Assert.Equal(
            [
                common + """ "delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}""".TrimStart(),
                common + """ "delta":{"content":"Grüß\n"},"logprobs":null,"finish_reason":null}]}""".TrimStart(),
                common + """ "delta":{"content":"\"Gott\" \u2028"},"logprobs":null,"finish_reason":null}]}""".TrimStart(),
                common + """ "delta":{"content":"!"},"logprobs":null,"finish_reason":null}]}""".TrimStart(),
                common + """ "delta":{},"logprobs":null,"finish_reason":"stop"}]}""".TrimStart(),
                "data: [DONE]",
                "",
            ],
            text.Split("\n\n"));
    }

    [Fact]
    public async Task Usage_is_null_in_every_chunk_and_told_in_one_more_when_it_is_asked_for()
    {
        var text = await ChatAsync(includeUsage: true, [Piece("a"), new("", [], s_stop)]);

        var chunks = Chunks(text);
        Assert.All(chunks.SkipLast(1), chunk => Assert.Equal(JsonValueKind.Null, chunk.GetProperty("usage").ValueKind));
        Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
        var usage = chunks[^1].GetProperty("usage");
        Assert.Equal((5, 3, 8, 2), (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(),
            usage.GetProperty("total_tokens").GetInt32(),
                usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32()));
    }

    [Fact]
    public async Task Pieces_without_text_send_nothing()
    {
        var chunks = Chunks(await ChatAsync(includeUsage: false,
            [Piece(""), Piece("a"), Piece(""), new("", [], s_stop with { Reason = FinishReason.Length })]));

        Assert.Equal(3, chunks.Count);
        Assert.Equal("length", chunks[^1].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task Choices_come_interleaved_and_each_has_its_role_text_and_reason()
    {
        var texts = new[] { "one two three", "eins zwei drei", "" };
        var outputs = texts.Select(text =>
            Output([.. text.Select(character => Piece(character.ToString())), new("", [], s_stop)], yields: true)).ToList();

        var chunks = Chunks(await ChatAsync(includeUsage: true, outputs));

        for (var choice = 0; choice < texts.Length; choice++)
        {
            var own = chunks.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray()).Where(c =>
                c.GetProperty("index").GetInt32() == choice).ToList();
            Assert.Equal("assistant", own[0].GetProperty("delta").GetProperty("role").GetString());
            Assert.Equal(texts[choice],
                string.Concat(own.Select(c => c.GetProperty("delta").TryGetProperty("content", out var content)
                ? content.GetString() : "")));
            Assert.Equal("stop", own[^1].GetProperty("finish_reason").GetString());
        }

        Assert.Equal((5, 9), (chunks[^1].GetProperty("usage").GetProperty("prompt_tokens").GetInt32(),
            chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32()));
    }

    [Fact]
    public async Task A_failure_after_the_first_piece_is_told_in_the_stream_which_is_then_not_done()
    {
        var text = await ChatAsync(includeUsage: false, [Output([Piece("a")], fails: true)]);

        Assert.Equal("server_error", Chunks(text)[^1].GetProperty("error").GetProperty("type").GetString());
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_before_the_first_piece_is_left_to_a_status_of_its_own()
    {
        await Assert.ThrowsAsync<EngineException>(() => ChatAsync(includeUsage: false, [Output([], fails: true)]));
    }

    [Fact]
    public async Task One_choice_that_fails_cancels_the_others()
    {
        var endless = new Output(Endless, Timing());
        await Assert.ThrowsAsync<EngineException>(() => ChatAsync(includeUsage: false, [endless, Output([], fails: true)]));
    }

    [Fact]
    public async Task A_plain_completion_streams_texts()
    {
        var pipe = new Pipe();
        using var stream = new CompletionStream(pipe.Writer, s_head, 1, includeUsage: false, null, ["Say "]);
        var text = await RunAsync(pipe, stream, [Output([Piece("a"), Piece("b"), new("", [], s_stop)])]);

        var chunks = Chunks(text);
        Assert.All(chunks, chunk => Assert.Equal("text_completion", chunk.GetProperty("object").GetString()));
        Assert.Equal("Say ab", string.Concat(chunks.Select(chunk => chunk.GetProperty("choices")[0].GetProperty("text").GetString())));
        Assert.Equal("stop", chunks[^1].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task Times_are_recorded_once_per_output()
    {
        var clock = new FakeTimeProvider();
        var metrics = new RequestMetrics("m", 1000);
        var timing = new OutputTiming(metrics, clock, clock.GetTimestamp());
        var output = new Output(Steps, timing);

        await ChatAsync(includeUsage: false, [output]);

        Assert.Equal(0.1, metrics.FirstToken.Sum, 6);
        Assert.Equal(0.2, metrics.BetweenTokens.Sum, 6);
        Assert.Equal(2, metrics.BetweenTokens.Read().Sum());
        Assert.Equal(1, metrics.Ended(RequestEnd.Stop));
        Assert.Equal(0.3, metrics.EndToEnd.Sum, 6);

        async IAsyncEnumerable<GenerationPiece> Steps(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            clock.Advance(TimeSpan.FromMilliseconds(100));
            yield return Piece("a");
            clock.Advance(TimeSpan.FromMilliseconds(200));
            yield return new("bc", [s_token, s_token], s_stop);
        }
    }

    private static GenerationPiece Piece(string text) => new(text, [s_token], null);

    private static OutputTiming Timing() => new(new RequestMetrics("m", 1000), TimeProvider.System, TimeProvider.System.GetTimestamp());

    private static Output Output(IReadOnlyList<GenerationPiece> pieces, bool fails = false, bool yields = false)
    {
        return new Output(Read, Timing());

        async IAsyncEnumerable<GenerationPiece> Read(
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var piece in pieces)
            {
                if (yields)
                    await Task.Yield();
                cancellationToken.ThrowIfCancellationRequested();
                yield return piece;
            }

            if (fails)
                throw new EngineException("broken");
        }
    }

    private static async IAsyncEnumerable<GenerationPiece> Endless(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        yield break;
    }

    private static Task<string> ChatAsync(bool includeUsage, IReadOnlyList<GenerationPiece> pieces) =>
        ChatAsync(includeUsage, [Output(pieces)]);

    private static async Task<string> ChatAsync(bool includeUsage, IReadOnlyList<Output> outputs)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        using var stream = new ChatStream(pipe.Writer, s_head, outputs.Count, includeUsage, null, null);
        return await RunAsync(pipe, stream, outputs);
    }

    private static async Task<string> RunAsync(Pipe pipe, AnswerStream stream, IReadOnlyList<Output> outputs)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpResponseBodyFeature>(new PipeBody(pipe.Writer));
        context.Features.Set<IHttpResponseFeature>(new StartedOnceWritten());
        using var cancelled = new CancellationTokenSource();
        await Answering.StreamAsync(context, stream, outputs, outputs.Count, cancelled);
        await pipe.Writer.CompleteAsync();
        return await new StreamReader(pipe.Reader.AsStream(), Encoding.UTF8).ReadToEndAsync();
    }

    private static List<JsonElement> Chunks(string text) =>
        [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(line => line != "data: [DONE]").Select(line =>
            JsonDocument.Parse(line["data: ".Length..]).RootElement)];

    /// <summary>As a server has it: the response has started once something set its content type and wrote.</summary>
    private sealed class StartedOnceWritten : HttpResponseFeature
    {
        public override bool HasStarted => Headers.ContentType.Count > 0;
    }

    private sealed class PipeBody(PipeWriter writer) : IHttpResponseBodyFeature
    {
        public Stream Stream => Writer.AsStream();

        public PipeWriter Writer { get; } = writer;

        public void DisableBuffering()
        {
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public Task CompleteAsync() => Task.CompletedTask;
    }
}
