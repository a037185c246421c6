using System.Buffers;
using Cairn.Serving.Gateway.Dialects;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>A target's answer, from its first byte on. Whoever gets it relays and disposes of it; that ends the attempt.</summary>
internal sealed class Answer(HttpResponseMessage response, Stream stream, byte[] buffer, CancellationTokenSource silence) : IDisposable
{
    private byte[]? _buffer = buffer;

    public HttpResponseMessage Response { get; } = response;

    public Stream Stream { get; } = stream;

    public byte[] Buffer => _buffer ?? throw new ObjectDisposedException(nameof(Answer));

    /// <summary>Bytes read so far; all there are where <see cref="IsWhole"/>.</summary>
    public int Count { get; set; }

    public bool IsWhole { get; set; }

    /// <summary>Cancels a read that takes too long.</summary>
    public CancellationTokenSource Silence { get; } = silence;

    public required RouteTarget Target { get; init; }

    /// <summary>The request as the target got it.</summary>
    public required Spoken Spoken { get; init; }

    /// <summary>Of the replica that answered; null where a provider did.</summary>
    public required Occupancy? Occupancy { get; init; }

    public required AttemptRecord Record { get; init; }

    /// <summary>From sending to the first byte, milliseconds.</summary>
    public required double UpstreamMs { get; init; }

    public AttemptEnd End { get; set; } = AttemptEnd.Abandoned;

    /// <summary>As the target wrote it; not parsed, because it is only passed on.</summary>
    public string ContentType { get; } = response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var values) ? values.ToString() : "application/json";

    public bool IsEventStream => ContentType.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);

    /// <summary>Twice the room, with what was read.</summary>
    public byte[] Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(Buffer.Length * 2);
        Buffer.AsSpan(0, Count).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(Buffer);
        return _buffer = larger;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is not { } rented)
            return;
        ArrayPool<byte>.Shared.Return(rented);
        Response.Dispose();
        Silence.Dispose();
        Occupancy?.End(End);
    }
}
