namespace Cairn.Contracts.Ids;

/// <summary>
/// UUIDs of version 7 that sort by the time of their making, to a quarter of a microsecond: the twelve bits behind the milliseconds are their
/// fraction (RFC 9562, section 6.2, method 3). The other 62 are random.
/// </summary>
public static class TimeOrderedUuid
{
    private const int Fractions = 1 << 12;

    public static Guid New(DateTimeOffset now)
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7(now).TryWriteBytes(bytes, bigEndian: true, out _);
        var fraction = now.UtcTicks % TimeSpan.TicksPerMillisecond * Fractions / TimeSpan.TicksPerMillisecond;
        bytes[6] = (byte)(0x70 | (fraction >> 8));
        bytes[7] = (byte)fraction;
        return new Guid(bytes, bigEndian: true);
    }
}
