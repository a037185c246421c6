using System.Buffers;
using System.IO.Pipelines;

namespace Cairn.Serving.Gateway.Bodies;

internal enum BodyFailure
{
    None,

    /// <summary>Larger than a body may be.</summary>
    TooLarge,

    /// <summary>Too many bodies are kept at the moment.</summary>
    NoMemory,
}

/// <summary>
/// A request's body, whole, in pooled memory that is counted. Kept until the first byte of the answer, so that it can be sent to another
/// replica.
/// </summary>
internal sealed class RequestBody : IDisposable
{
    private const int FirstBytes = 4096;
    private readonly BodyMemory _memory;
    private byte[]? _buffer;
    private int _counted;

    private RequestBody(BodyMemory memory) => _memory = memory;

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, Length);

    /// <summary>Reads all of a body. The web server closes a client that sends slower than its minimum rate, so this ends.</summary>
    /// <param name="contentLength">As the client says; nothing is taken on trust beyond <paramref name="most"/>.</param>
    public static async ValueTask<(RequestBody? Body, BodyFailure Failure)> ReadAsync(PipeReader reader, long? contentLength, int most, BodyMemory memory,
        CancellationToken cancellationToken)
    {
        if (contentLength > most)
            return (null, BodyFailure.TooLarge);
        var body = new RequestBody(memory);
        try
        {
            if (!body.Grow((int)(contentLength ?? FirstBytes)))
                return (null, BodyFailure.NoMemory);
            while (true)
            {
                var read = await reader.ReadAsync(cancellationToken);
                var failure = body.Append(read.Buffer, most);
                reader.AdvanceTo(read.Buffer.End);
                if (failure != BodyFailure.None)
                    return (null, failure);
                if (!read.IsCompleted)
                    continue;
                var whole = body;
                body = null;
                return (whole, BodyFailure.None);
            }
        }
        finally
        {
            body?.Dispose();
        }
    }

    /// <summary>Reads a body's beginning: all of it, or until there is enough of it. What follows stays with the reader.</summary>
    /// <param name="enough">Asked with the bytes so far whenever more came.</param>
    /// <returns>The beginning, and whether it is all there is; null where there is no memory for it.</returns>
    public static async ValueTask<(RequestBody? Body, bool Whole)> ReadStartAsync(PipeReader reader, int most, BodyMemory memory, Func<ReadOnlyMemory<byte>, bool> enough,
        CancellationToken cancellationToken)
    {
        var body = new RequestBody(memory);
        try
        {
            while (true)
            {
                if (body._buffer is null && !body.Grow(FirstBytes))
                    return (null, false);
                var read = await reader.ReadAsync(cancellationToken);
                var taken = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, most - body.Length));
                var failure = body.Append(taken, most);
                reader.AdvanceTo(taken.End);
                if (failure != BodyFailure.None)
                    return (null, false);
                var whole = read.IsCompleted && taken.Length == read.Buffer.Length;
                if (!whole && body.Length < most && !enough(body.Bytes))
                    continue;
                var start = body;
                body = null;
                return (start, whole);
            }
        }
        finally
        {
            body?.Dispose();
        }
    }

    /// <summary>Counts memory that something made of the body takes, until the body is disposed of.</summary>
    public bool TryCount(int bytes)
    {
        if (!_memory.TryTake(bytes))
            return false;
        _counted += bytes;
        return true;
    }

    /// <summary>Puts other bytes in the place of those that were read; false where there is no memory for them.</summary>
    public bool TryReplace(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _buffer!.Length && !Grow(bytes.Length))
            return false;
        bytes.CopyTo(_buffer);
        Length = bytes.Length;
        return true;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is not { } buffer)
            return;
        ArrayPool<byte>.Shared.Return(buffer);
        _memory.Return(_counted);
    }

    private BodyFailure Append(in ReadOnlySequence<byte> bytes, int most)
    {
        if (bytes.Length > most - Length)
            return BodyFailure.TooLarge;
        if (Length + bytes.Length > _buffer!.Length && !Grow(Math.Max(Length + (int)bytes.Length, Math.Min(_buffer.Length * 2, most))))
            return BodyFailure.NoMemory;
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length += (int)bytes.Length;
        return BodyFailure.None;
    }

    private bool Grow(int bytes)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(bytes, 16));
        if (!_memory.TryTake(larger.Length - _counted))
        {
            ArrayPool<byte>.Shared.Return(larger);
            return false;
        }
        _counted = larger.Length;
        if (_buffer is { } old)
        {
            old.AsSpan(0, Length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(old);
        }
        _buffer = larger;
        return true;
    }
}
