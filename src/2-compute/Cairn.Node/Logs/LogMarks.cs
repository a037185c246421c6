using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Cairn.Node.Logs;

/// <summary>
/// How much of the task's two raw outputs a log stands for, in bytes. With it a daemon that starts again reads on where the last one
/// stopped.
/// </summary>
internal readonly record struct RawPosition(long Out, long Error)
{
    public static RawPosition operator +(RawPosition a, RawPosition b) => new(a.Out + b.Out, a.Error + b.Error);
    public static RawPosition operator -(RawPosition a, RawPosition b) => new(a.Out - b.Out, a.Error - b.Error);
}

/// <summary>Cairn's own records in a task's log that stand for bytes of the raw outputs.</summary>
internal static partial class LogMarks
{
    /// <summary>Stands in the place of records that were dropped.</summary>
    public static byte[] Dropped(RawPosition bytes) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $"dropped {bytes.Out} bytes of standard output and {bytes.Error} bytes of standard error: the log reached its limit before the server took it"));

    public static bool TryReadDropped(ReadOnlySpan<byte> text, out RawPosition bytes)
    {
        bytes = default;
        if (!text.StartsWith("dropped "u8) || text.Length > 256 || DroppedPattern().Match(Encoding.UTF8.GetString(text)) is not { Success: true } match)
            return false;
        bytes = new RawPosition(Number(match, 1), Number(match, 2));
        return true;
    }

    private static long Number(Match match, int group) => long.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^dropped (\d{1,18}) bytes of standard output and (\d{1,18}) bytes of standard error: ")]
    private static partial Regex DroppedPattern();
}
