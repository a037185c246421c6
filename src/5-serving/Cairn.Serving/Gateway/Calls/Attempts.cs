using System.Buffers;
using System.Net;
using Cairn.Serving.Gateway.Bodies;
using Cairn.Serving.Gateway.Dialects;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Why a try came to nothing.</summary>
/// <param name="Reached">Whether the target may have got some of it; one that could not even be connected to did not.</param>
/// <param name="Lost">Whether the connection failed or broke: its replica is being replaced, and waiting helps.</param>
internal sealed record AttemptFailure(string Why, bool Reached, bool Lost);

/// <summary>One try of a request at one target, up to the first byte of its answer; a plain answer of moderate size is read whole, so that one that breaks off can be tried elsewhere.</summary>
internal sealed class Attempts(GatewayOptions options, Upstream upstream, TimeProvider time)
{
    private const int BufferBytes = 16 << 10;
    private const int MostWholeBytes = 1 << 20;
    private const string AnthropicVersion = "2023-06-01"; // the only one of the messages API

    /// <param name="occupancy">Of the replica that was chosen; null for a provider. Ended with the try, or by its answer.</param>
    /// <returns>The answer, or why there is none.</returns>
    public async Task<(Answer? Answer, AttemptFailure? Failure)> TryAsync(Call call, RouteTarget target, Occupancy? occupancy, AttemptRecord record,
        CancellationToken cancellationToken)
    {
        var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        var (response, answer) = ((HttpResponseMessage?)null, (Answer?)null);
        try
        {
            silence.CancelAfter(options.SilenceTimeout);
            var sent = time.GetTimestamp();
            var spoken = call.As(target).Spoken!;
            using var request = RequestTo(call, spoken, target, occupancy?.Replica);
            response = await upstream.SendAsync(request, silence.Token);
            // An engine without a route to tokenize is no worse for it.
            if (Fails(response.StatusCode) && !(spoken.Kind == CallKind.Tokenizing && response.StatusCode == HttpStatusCode.NotFound))
            {
                record.Outcome = $"status {(int)response.StatusCode}";
                Drop(response, buffer, silence);
                occupancy?.End(AttemptEnd.Failed);
                return (null, new AttemptFailure(record.Outcome, Reached: true, Lost: false));
            }
            var stream = await response.Content.ReadAsStreamAsync(silence.Token);
            var count = await stream.ReadAsync(buffer, silence.Token);
            answer = new Answer(response, stream, buffer, silence)
            {
                Count = count, IsWhole = count == 0, Target = target, Spoken = spoken, Occupancy = occupancy, Record = record,
                UpstreamMs = time.GetElapsedTime(sent).TotalMilliseconds,
            };
            if (!answer.IsEventStream)
                await ReadWholeAsync(answer, buffer);
            return (answer, null);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or OperationCanceledException)
        {
            var left = cancellationToken.IsCancellationRequested;
            record.Outcome = left ? "abandoned" : failed is OperationCanceledException ? "silent for too long" : failed.Message;
            var end = left ? AttemptEnd.Abandoned : AttemptEnd.Failed;
            if (answer is not null)
            {
                answer.End = end;
                answer.Dispose();
            }
            else
            {
                Drop(response, buffer, silence);
                occupancy?.End(end);
            }
            cancellationToken.ThrowIfCancellationRequested();
            return (null, new AttemptFailure(record.Outcome, Reached: failed is not HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError },
                Lost: failed is not OperationCanceledException));
        }
    }

    private static async Task ReadWholeAsync(Answer answer, byte[] grown)
    {
        while (!answer.IsWhole && answer.Count < MostWholeBytes)
        {
            if (answer.Count == grown.Length)
                grown = answer.Grow();
            var count = await answer.Stream.ReadAsync(grown.AsMemory(answer.Count), answer.Silence.Token);
            answer.Count += count;
            answer.IsWhole = count == 0;
        }
    }

    private static HttpRequestMessage RequestTo(Call call, Spoken spoken, RouteTarget target, ReplicaState? replica)
    {
        var body = EditedBody.Of(spoken.Body, spoken.Facts, spoken.Kind.Shape, target.UpstreamModel, call.MostOutput);
        var request = new HttpRequestMessage(HttpMethod.Post, target is ProviderTarget outside
            ? new Uri(outside.BaseUrl.AbsoluteUri.TrimEnd('/') + spoken.Kind.ProviderPath)
            : replica!.AddressOf(spoken.Kind.Path))
        {
            Content = body,
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Headers.TryAddWithoutValidation("x-request-id", call.Record.Id);
        if (spoken.Kind.Dialect == ApiDialect.Anthropic)
            AddAnthropic(call, spoken, request);
        if (target is ProviderTarget { Credential: { Length: > 0 } credential } provider)
            request.Headers.TryAddWithoutValidation(provider.Dialect == ApiDialect.Anthropic ? "x-api-key" : "Authorization",
                provider.Dialect == ApiDialect.Anthropic ? credential : "Bearer " + credential);
        else if (target is PoolTarget)
            request.Headers.TryAddWithoutValidation("x-cairn-caller", call.Key.Id.ToString());
        return request;
    }

    private static void AddAnthropic(Call call, Spoken spoken, HttpRequestMessage request)
    {
        var asked = call.Context.Request.Headers;
        var version = !spoken.IsTranslated && asked["anthropic-version"] is [{ Length: > 0 } named] ? named : AnthropicVersion;
        request.Headers.TryAddWithoutValidation("anthropic-version", version);
        if (!spoken.IsTranslated && asked["anthropic-beta"] is { Count: > 0 } beta)
            request.Headers.TryAddWithoutValidation("anthropic-beta", (IEnumerable<string?>)beta);
    }

    /// <summary>What another target may do better: it is overloaded, restarting or broken. A request that is itself wrong is wrong everywhere.</summary>
    public static bool Fails(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout
        or HttpStatusCode.Unauthorized or HttpStatusCode.NotFound or >= HttpStatusCode.InternalServerError;

    private static void Drop(HttpResponseMessage? response, byte[] buffer, CancellationTokenSource silence)
    {
        response?.Dispose();
        silence.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
