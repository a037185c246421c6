using System.Buffers.Text;

namespace Cairn.Fleet.Logs;

/// <summary>One log among those of a job.</summary>
internal readonly record struct LogPart(int Attempt, int Rank) : IComparable<LogPart>
{
    public int CompareTo(LogPart other) => Attempt != other.Attempt ? Attempt.CompareTo(other.Attempt) : Rank.CompareTo(other.Rank);
}

/// <summary>
/// How far a reader has come in every log of a job. As text it is the places of all of them, so a reader that comes back goes on exactly
/// there, whatever came in meanwhile.
/// </summary>
internal sealed class LogCursor
{
    private const int LongestText = 1 << 20;
    private readonly SortedDictionary<LogPart, long> _places = [];

    public int Parts => _places.Count;

    public long this[LogPart part]
    {
        get => _places.GetValueOrDefault(part);
        set => _places[part] = value;
    }

    public string Encode()
    {
        var bytes = new byte[_places.Count * 30];
        var length = 0;
        foreach (var (part, offset) in _places)
        {
            Write(bytes, ref length, (ulong)part.Attempt);
            Write(bytes, ref length, (ulong)part.Rank);
            Write(bytes, ref length, (ulong)offset);
        }
        return Base64Url.EncodeToString(bytes.AsSpan(0, length));
    }

    /// <summary>False for anything that <see cref="Encode"/> did not make.</summary>
    public static bool TryDecode(string text, out LogCursor cursor)
    {
        cursor = new LogCursor();
        if (text.Length > LongestText || !Base64Url.IsValid(text))
            return false;
        var bytes = Base64Url.DecodeFromChars(text);
        for (var at = 0; at < bytes.Length;)
        {
            if (!TryRead(bytes, ref at, int.MaxValue, out var attempt) || !TryRead(bytes, ref at, int.MaxValue, out var rank)
                || !TryRead(bytes, ref at, long.MaxValue, out var offset))
            {
                return false;
            }
            cursor[new LogPart((int)attempt, (int)rank)] = (long)offset;
        }
        return true;
    }

    private static void Write(byte[] bytes, ref int at, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes[at++] = (byte)(value | 0x80);
        bytes[at++] = (byte)value;
    }

    private static bool TryRead(byte[] bytes, ref int at, ulong most, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 63 && at < bytes.Length; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value <= most;
        }
        return false;
    }
}
