using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;

namespace Cairn.Serving.Gateway.Mirroring;

/// <summary>Sends a copy, reads its answer and drops it; what is left are the numbers of the revision that answered.</summary>
internal sealed class MirrorSending(GatewayOptions options, Upstream upstream, TimeProvider time)
{
    private const int BufferBytes = 16 << 10;

    /// <summary>Ends with the copy and its occupancy, whatever becomes of it.</summary>
    public async Task RunAsync(MirrorCopy copy, EndpointActivity activity, CancellationToken stopping)
    {
        var progress = new Progress { Sent = time.GetTimestamp() };
        var (outcome, end) = (MirrorOutcome.Failed, AttemptEnd.Failed);
        try
        {
            using var late = new CancellationTokenSource(options.MirrorTimeLimit, time);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, late.Token);
            (outcome, end) = await SendAsync(copy, progress, ending.Token);
        }
        catch (OperationCanceledException)
        {
            // An answer that had begun is long, not wrong.
            if (stopping.IsCancellationRequested || progress.FirstByteMs is not null)
                (outcome, end) = (MirrorOutcome.CutOff, AttemptEnd.Abandoned);
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException or ObjectDisposedException)
        {
            if (stopping.IsCancellationRequested)
                (outcome, end) = (MirrorOutcome.CutOff, AttemptEnd.Abandoned);
        }
        finally
        {
            copy.Occupancy.End(end);
            if (progress.Succeeded && outcome == MirrorOutcome.Answered)
                activity.Answered(copy.Target.Revision, progress.FirstByteMs, null);
            MirrorInstruments.Ended(copy.Project, copy.Mirror, outcome, time.GetElapsedTime(progress.Sent));
        }
    }

    private async Task<(MirrorOutcome, AttemptEnd)> SendAsync(MirrorCopy copy, Progress progress, CancellationToken cancellationToken)
    {
        using var request = RequestOf(copy);
        using var response = await upstream.SendAsync(request, cancellationToken);
        if (Attempts.Fails(response.StatusCode))
            return (MirrorOutcome.Failed, AttemptEnd.Failed);
        progress.Succeeded = response.IsSuccessStatusCode;
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var total = 0L;
            for (int count; (count = await stream.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                progress.FirstByteMs ??= time.GetElapsedTime(progress.Sent).TotalMilliseconds;
                total += count;
                progress.Saw(buffer.AsSpan(0, count));
                if (total > options.MirroredAnswerBytes)
                    return (MirrorOutcome.CutOff, AttemptEnd.Abandoned);
            }
            var whole = !copy.Kind.TellsEnd || response.Content.Headers.ContentType?.MediaType != "text/event-stream" || progress.ToldEnd;
            return whole ? (MirrorOutcome.Answered, AttemptEnd.Answered) : (MirrorOutcome.Failed, AttemptEnd.Failed);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static HttpRequestMessage RequestOf(MirrorCopy copy)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, copy.Occupancy.Replica.AddressOf(copy.Kind.Path))
        {
            Content = new ByteArrayContent(copy.Body),
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("x-request-id", copy.Request);
        request.Headers.TryAddWithoutValidation("x-cairn-caller", copy.Caller.ToString());
        request.Headers.TryAddWithoutValidation(Mirrors.Header, "true");
        return request;
    }

    /// <summary>How far a copy came.</summary>
    private sealed class Progress
    {
        private readonly byte[] _tail = new byte[16];

        public required long Sent { get; init; }

        /// <summary>From sending to the first byte of the answer; null before it.</summary>
        public double? FirstByteMs { get; set; }

        public bool Succeeded { get; set; }

        /// <summary>Whether the last event so far says that a stream is whole.</summary>
        public bool ToldEnd => _tail.AsSpan().TrimEnd("\r\n "u8).EndsWith("[DONE]"u8);

        public void Saw(ReadOnlySpan<byte> read)
        {
            var last = read[^Math.Min(read.Length, _tail.Length)..];
            _tail.AsSpan(last.Length).CopyTo(_tail);
            last.CopyTo(_tail.AsSpan(_tail.Length - last.Length));
        }
    }
}
