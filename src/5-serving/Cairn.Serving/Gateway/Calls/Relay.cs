using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using Cairn.Serving.Gateway.Dialects;
using Cairn.Serving.Gateway.Limits;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Hands an answer to the client as it comes, and reads its usage on the way. Whole events go on at once; only an event that has not ended is kept.</summary>
internal sealed class Relay(GatewayOptions options, TimeProvider time)
{
    private const int MostTranslatedBytes = 16 << 20;

    /// <summary>What can be said of an answer once it was relayed.</summary>
    /// <param name="Usage">As the target told it, or counted.</param>
    /// <param name="Broken">Why it broke off; null where it is whole.</param>
    /// <param name="FirstEventMs">From sending to the first event.</param>
    /// <param name="EachTokenMs">Between events, on average.</param>
    /// <param name="ClientLeft">It broke off because the client did not want it any more.</param>
    public readonly record struct Outcome(TokenUsage Usage, string? Broken, double? FirstEventMs, double? EachTokenMs, bool ClientLeft = false);

    public async ValueTask<Outcome> RunAsync(Call call, Answer answer)
    {
        var response = call.Context.Response;
        response.StatusCode = (int)answer.Response.StatusCode;
        response.ContentType = answer.ContentType;
        WriteHeaders(call, answer);
        var back = answer.Spoken.Answering(call);
        if (answer.IsEventStream)
            return await StreamAsync(call, answer, back);
        return back is null ? await PlainAsync(call, answer) : await TranslatedAsync(call, answer, back);
    }

    private void WriteHeaders(Call call, Answer answer)
    {
        var headers = call.Context.Response.Headers;
        var whole = time.GetElapsedTime(call.Received).TotalMilliseconds;
        var overhead = Math.Max(0, whole - answer.UpstreamMs - call.Record.HeldMs);
        headers["openai-processing-ms"] = ((long)Math.Round(answer.UpstreamMs)).ToString(CultureInfo.InvariantCulture);
        headers["cairn-overhead-ms"] = overhead.ToString("0.###", CultureInfo.InvariantCulture);
        var limits = call.Account.Limits;
        if (limits.RequestsPerMinute is null && limits.TokensPerMinute is null)
            return;
        var standing = KeyStanding.Of(call.Account, time.GetUtcNow());
        if (standing.RequestsLimit is { } requests)
        {
            headers["x-ratelimit-limit-requests"] = Text(requests);
            headers["x-ratelimit-remaining-requests"] = Text(standing.RequestsLeft);
            headers["x-ratelimit-reset-requests"] = Text(standing.RequestsReset);
        }
        if (standing.TokensLimit is { } tokens)
        {
            headers["x-ratelimit-limit-tokens"] = Text(tokens);
            headers["x-ratelimit-remaining-tokens"] = Text(standing.TokensLeft);
            headers["x-ratelimit-reset-tokens"] = Text(standing.TokensReset);
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###}s");

    private async ValueTask<Outcome> PlainAsync(Call call, Answer answer)
    {
        var response = call.Context.Response;
        if (answer.IsWhole)
        {
            response.ContentLength = answer.Count;
            await response.Body.WriteAsync(answer.Buffer.AsMemory(0, answer.Count), call.Left);
            return new Outcome(UsageOf(call, answer.Buffer.AsSpan(0, answer.Count), 0), null, answer.UpstreamMs, null);
        }

        // Larger than what is kept whole: the end of it, where usage is, is remembered while it goes through.
        var (total, broken) = ((long)answer.Count, (string?)null);
        await response.Body.WriteAsync(answer.Buffer.AsMemory(0, answer.Count), call.Left);
        var tail = new Tail();
        while (broken is null)
        {
            var count = 0;
            (count, broken) = await ReadAsync(call, answer, answer.Buffer);
            if (count == 0)
                break;
            total += count;
            if (total > options.MostAnswerBytes)
                broken = $"larger than {options.MostAnswerBytes:N0} bytes";
            tail.Add(answer.Buffer.AsSpan(0, count));
            await response.Body.WriteAsync(answer.Buffer.AsMemory(0, count), call.Left);
        }
        if (broken is not null)
            call.Context.Abort();
        return new Outcome(UsageOf(call, tail.Bytes, total / 4), broken, answer.UpstreamMs, null);
    }

    /// <summary>An answer in another dialect has to be there whole before a word of it can be said.</summary>
    private async Task<Outcome> TranslatedAsync(Call call, Answer answer, AnswerTranslation back)
    {
        var broken = await ReadWholeAsync(call, answer);
        var whole = answer.Buffer.AsMemory(0, answer.Count);
        CallError? error = null;
        byte[] body = [];
        try
        {
            if (broken is not null)
                error = CallError.BrokeOff(broken);
            else if (!answer.Response.IsSuccessStatusCode)
                error = call.Kind == CallKind.Counting && answer.Response.StatusCode == System.Net.HttpStatusCode.NotFound
                    ? CallError.Uncounted(call.Facts.Model) : ForeignErrors.Read((int)answer.Response.StatusCode, whole.Span);
            else
                body = Fields.Bytes(back.Whole(Fields.Parse(whole.Span)));
            if (error is null && !await KeptAsync(call, back))
                error = CallError.NotKept;
        }
        catch (FieldFault fault)
        {
            broken = fault.Message;
            error = CallError.AllFailed(call.Facts.Model, fault.Message);
        }
        call.Context.Response.ContentType = "application/json";
        if (error is not null)
        {
            await ErrorAnswers.WriteAsync(call.Context, error, call.Kind.Dialect, call.Left);
        }
        else
        {
            call.Context.Response.ContentLength = body.Length;
            await call.Context.Response.Body.WriteAsync(body, call.Left);
        }
        return new Outcome(UsageOf(call, whole.Span, answer.Count / 4), broken, answer.UpstreamMs, null);
    }

    /// <summary>A client that was told of a kept answer finds it, so it is written first.</summary>
    private static async Task<bool> KeptAsync(Call call, AnswerTranslation? back) =>
        call.Keep is not { } keep || back?.Final is not { } final || await keep(final, call.Left);

    private static async Task<string?> ReadWholeAsync(Call call, Answer answer)
    {
        while (!answer.IsWhole)
        {
            if (answer.Count > MostTranslatedBytes)
                return $"larger than {MostTranslatedBytes:N0} bytes";
            var buffer = answer.Count == answer.Buffer.Length ? answer.Grow() : answer.Buffer;
            var (count, broken) = await ReadAsync(call, answer, buffer.AsMemory(answer.Count));
            if (broken is not null)
                return broken;
            answer.Count += count;
            answer.IsWhole = count == 0;
        }
        return null;
    }

    private async Task<Outcome> StreamAsync(Call call, Answer answer, AnswerTranslation? back)
    {
        var response = call.Context.Response;
        response.Headers.CacheControl = "no-cache";
        response.Headers["x-accel-buffering"] = "no";
        var events = new EventRelay(call, answer, back);
        var (broken, left, began) = ((string?)null, false, time.GetTimestamp());
        try
        {
            broken = await CopyAsync(call, answer, events, back);
            if (broken is not null && !events.ToldError)
            {
                var error = CallError.BrokeOff(broken);
                response.BodyWriter.Write(back?.Fail(error, call.Kind.Dialect) ?? ErrorAnswers.Event(error, call.Kind.Dialect));
                await response.BodyWriter.FlushAsync(call.Left);
            }
        }
        catch (OperationCanceledException) when (call.Left.IsCancellationRequested)
        {
            (broken, left) = ("the client left", true);
        }
        var between = events.Count > 1 ? time.GetElapsedTime(began).TotalMilliseconds / (events.Count - 1) : (double?)null;
        return new Outcome(events.Usage ?? UsageOf(call, [], events.Count), broken, answer.UpstreamMs, between, left);
    }

    private static async Task<string?> CopyAsync(Call call, Answer answer, EventRelay events, AnswerTranslation? back)
    {
        var output = call.Context.Response.BodyWriter;
        for (var count = answer.Count; count > 0;)
        {
            // What was read is relayed as far as it is whole events, and the rest moved to the front.
            if (events.Take(count, output, answer) is { } tooLarge)
                return tooLarge;
            if (events.Held.Count > 0)
            {
                if (!await KeptAsync(call, back))
                    return "it could not be kept";
                foreach (var each in events.Held)
                    each.Write(output);
                events.Held.Clear();
            }
            await output.FlushAsync(call.Left);
            call.Left.ThrowIfCancellationRequested();
            (count, var broken) = await ReadAsync(call, answer, events.Room(answer));
            // Once it is whole, how the connection ends says nothing.
            if (broken is not null && !events.SawEnd)
                return broken;
        }
        if (events.ToldError)
            return "the replica told of an error";
        return answer.Spoken.Kind.TellsEnd && !events.SawEnd ? "its end never came" : null;
    }

    /// <summary>Asked for every event of every stream, so nothing is allocated for it.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<(int Count, string? Broken)> ReadAsync(Call call, Answer answer, Memory<byte> into)
    {
        try
        {
            return (await answer.Stream.ReadAsync(into, answer.Silence.Token), null);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or OperationCanceledException)
        {
            call.Left.ThrowIfCancellationRequested();
            return (0, failed is OperationCanceledException ? "silent for too long" : "the replica went away");
        }
    }

    private static TokenUsage UsageOf(Call call, ReadOnlySpan<byte> json, long counted) =>
        UsageScan.Find(json) ?? new TokenUsage(call.PromptTokens, 0, counted, Estimated: true);

    /// <summary>The last 16 KiB of what went through.</summary>
    private sealed class Tail
    {
        private readonly byte[] _bytes = new byte[16 << 10];
        private int _count;

        public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _count);

        public void Add(ReadOnlySpan<byte> more)
        {
            if (more.Length > _bytes.Length)
                more = more[^_bytes.Length..];
            var keep = Math.Min(_count, _bytes.Length - more.Length);
            _bytes.AsSpan(_count - keep, keep).CopyTo(_bytes);
            more.CopyTo(_bytes.AsSpan(keep));
            _count = keep + more.Length;
        }
    }
}
