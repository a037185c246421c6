using System.Globalization;
using System.Text;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

/// <summary>C's <c>strftime</c> in the C locale.</summary>
internal static class Strftime
{
    public static string Format(DateTimeOffset now, string format)
    {
        var output = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                output.Append(format[i]);
                continue;
            }
            // glibc's "-" leaves the padding out.
            var bare = format[++i] == '-' && i + 1 < format.Length;
            var written = One(now, format[bare ? ++i : i]);
            output.Append(bare && written.Length > 1 ? written.TrimStart('0', ' ') is { Length: > 0 } short_ ? short_ : "0" : written);
        }
        return output.ToString();
    }

    private static string One(DateTimeOffset now, char code) => code switch
    {
        '%' => "%",
        'n' => "\n",
        't' => "\t",
        'a' => In(now, "ddd"),
        'A' => In(now, "dddd"),
        'b' or 'h' => In(now, "MMM"),
        'B' => In(now, "MMMM"),
        'd' => In(now, "dd"),
        'e' => now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'm' => In(now, "MM"),
        'y' => In(now, "yy"),
        'Y' => now.Year.ToString(CultureInfo.InvariantCulture),
        'H' => In(now, "HH"),
        'I' => In(now, "hh"),
        'M' => In(now, "mm"),
        'S' => In(now, "ss"),
        'p' => In(now, "tt"),
        'f' => In(now, "ffffff"),
        'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'u' => (now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'w' => ((int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'F' => In(now, "yyyy-MM-dd"),
        'T' or 'X' => In(now, "HH:mm:ss"),
        'D' or 'x' => In(now, "MM/dd/yy"),
        'R' => In(now, "HH:mm"),
        'c' => Format(now, "%a %b %e %H:%M:%S %Y"),
        's' => now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        'z' => In(now, "zzz").Replace(":", "", StringComparison.Ordinal),
        'Z' => now.Offset == TimeSpan.Zero ? "UTC" : In(now, "zzz"),
        _ => throw new TemplateFault($"strftime_now does not know '%{code}'"),
    };

    // A format of one letter would be a standard one.
    private static string In(DateTimeOffset now, string format) => now.ToString(format, CultureInfo.InvariantCulture);
}
