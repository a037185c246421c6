using System.Buffers.Binary;

namespace Cairn.Contracts.Tunnels;

internal enum FrameKind : byte
{
    /// <summary>A stream begins; the payload is its <see cref="TunnelTarget"/>. Only the end that dials sends it.</summary>
    Open = 1,

    /// <summary>The stream that was asked for stands.</summary>
    Opened = 2,

    Data = 3,

    /// <summary>The receiver has room for so many bytes more: four bytes.</summary>
    Credit = 4,

    /// <summary>The sender sends no more on this stream; it still receives.</summary>
    End = 5,

    /// <summary>The stream is over, or was never opened; the payload says why in UTF-8.</summary>
    Reset = 6,
}

/// <summary>Before every payload, big-endian: the stream's number (4 bytes), the kind (1), the payload's length (3).</summary>
internal readonly record struct FrameHeader(uint Stream, FrameKind Kind, int Length)
{
    public const int Bytes = 8;

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Stream);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], ((uint)Kind << 24) | (uint)Length);
    }

    /// <exception cref="InvalidDataException">No frame begins so.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes)
    {
        var second = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        var header = new FrameHeader(BinaryPrimitives.ReadUInt32BigEndian(bytes), (FrameKind)(second >> 24), (int)(second & 0xFFFFFF));
        var good = header.Kind switch
        {
            FrameKind.Open => header.Length == TunnelTarget.Bytes,
            FrameKind.Opened or FrameKind.End => header.Length == 0,
            FrameKind.Data => header.Length is > 0 and <= TunnelWire.MostPayload,
            FrameKind.Credit => header.Length == 4,
            FrameKind.Reset => header.Length <= TunnelWire.MostReason,
            _ => false,
        };
        return good
            ? header
            : throw new InvalidDataException($"the other end sent a frame of kind {(int)header.Kind} with {header.Length} bytes");
    }
}
