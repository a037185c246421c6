using System.Buffers.Binary;

namespace Cairn.Fleet.Link;

internal enum HelloVerdict
{
    /// <summary>More has to arrive.</summary>
    Incomplete,

    /// <summary>It offers the protocol.</summary>
    Offers,

    /// <summary>It does not, or it is no greeting that TLS begins with.</summary>
    Other,
}

/// <summary>
/// The protocols that a TLS client offers (RFC 8446, 4.1.2; RFC 7301), which its first record says in the clear. Reads no more than that:
/// whether a greeting is good in all else is for TLS to say.
/// </summary>
internal static class ClientHello
{
    private const byte Handshake = 22;
    private const byte Greeting = 1;
    private const int RecordHeader = 5;
    private const int RandomAndVersion = 2 + 32;
    private const ushort ApplicationProtocols = 16;

    /// <summary>Whether the greeting that begins with these bytes offers an application protocol.</summary>
    public static HelloVerdict Judge(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> protocol)
    {
        if (bytes.Length < RecordHeader)
            return bytes.IsEmpty || bytes[0] == Handshake ? HelloVerdict.Incomplete : HelloVerdict.Other;
        var record = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        if (bytes[0] != Handshake)
            return HelloVerdict.Other;
        if (bytes.Length < RecordHeader + record)
            return HelloVerdict.Incomplete;
        var rest = bytes.Slice(RecordHeader, record);
        return TrySkip(ref rest, 1) && bytes[RecordHeader] == Greeting && TrySkip(ref rest, 3 + RandomAndVersion)
            && TryTake(ref rest, 1, out _)
            && TryTake(ref rest, 2, out _)
            && TryTake(ref rest, 1, out _)
            && TryTake(ref rest, 2, out var extensions)
            && Offers(extensions, protocol)
            ? HelloVerdict.Offers
            : HelloVerdict.Other;
    }

    private static bool Offers(ReadOnlySpan<byte> extensions, ReadOnlySpan<byte> protocol)
    {
        while (extensions.Length >= 2)
        {
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            if (!TryTake(ref extensions, 2, out var extension))
                return false;
            if (type == ApplicationProtocols)
                return TryTake(ref extension, 2, out var names) && Lists(names, protocol);
        }
        return false;
    }

    private static bool Lists(ReadOnlySpan<byte> names, ReadOnlySpan<byte> protocol)
    {
        while (TryTake(ref names, 1, out var name))
        {
            if (name.SequenceEqual(protocol))
                return true;
        }
        return false;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (bytes.Length < count)
            return false;
        bytes = bytes[count..];
        return true;
    }

    /// <summary>Takes what has its length, of one byte or two, before it.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> bytes, int lengthBytes, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (bytes.Length < lengthBytes)
            return false;
        var length = lengthBytes == 1 ? bytes[0] : BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (bytes.Length < lengthBytes + length)
            return false;
        taken = bytes.Slice(lengthBytes, length);
        bytes = bytes[(lengthBytes + length)..];
        return true;
    }
}
