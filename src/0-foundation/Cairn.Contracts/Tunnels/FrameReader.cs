using System.Buffers;

namespace Cairn.Contracts.Tunnels;

/// <summary>Takes a frame; the payload is there for the time of the call.</summary>
internal delegate void TakeFrame(FrameHeader header, ReadOnlySpan<byte> payload);

/// <summary>The one way in of a tunnel: bytes as they come, frames as they are whole. Holds no buffer while nothing comes.</summary>
internal sealed class FrameReader(Stream transport, TakeFrame take)
{
    private const int BufferBytes = 128 << 10;

    /// <summary>Reads until the connection ends.</summary>
    /// <exception cref="InvalidDataException">What came is no frame.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            _ = await transport.ReadAsync(Memory<byte>.Empty, cancellationToken);
            var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
            try
            {
                if (!await ReadAsync(buffer, cancellationToken))
                    return;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>Reads until a frame and what was read end together.</summary>
    /// <returns>Whether the connection goes on.</returns>
    private async Task<bool> ReadAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        for (var (start, end) = (0, 0); ;)
        {
            var read = await transport.ReadAsync(buffer.AsMemory(end), cancellationToken);
            if (read == 0)
                return false;
            end += read;
            start += Take(buffer.AsSpan(start, end - start));
            if (start == end)
                return true;
            if (buffer.Length - end < TunnelWire.MostPayload + FrameHeader.Bytes)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }
        }
    }

    /// <returns>The length of the whole frames that were taken.</returns>
    private int Take(ReadOnlySpan<byte> bytes)
    {
        var taken = 0;
        while (bytes.Length - taken >= FrameHeader.Bytes)
        {
            var header = FrameHeader.Read(bytes[taken..]);
            if (bytes.Length - taken < FrameHeader.Bytes + header.Length)
                break;
            take(header, bytes.Slice(taken + FrameHeader.Bytes, header.Length));
            taken += FrameHeader.Bytes + header.Length;
        }
        return taken;
    }
}
