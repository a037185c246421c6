using System.Text.Json;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

/// <summary>JSON Schema's formats as expressions that match only what is valid. Others annotate, as the specification has it.</summary>
internal static class Formats
{
    private const string Byte = @"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)";
    private const string Hex16 = "[0-9a-fA-F]{1,4}";
    private const string Label = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?";

    // RFC 3339 §5.6 and appendix C: days by month, the 29th of February in leap years only.
    private const string Date = @"(\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))"
        + @"|(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
    private const string Time = @"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)";

    // RFC 3339, appendix A.
    private const string Clock = @"T(\d{1,4}H(\d{1,4}M(\d{1,4}S)?)?|\d{1,4}M(\d{1,4}S)?|\d{1,4}S)";

    private static readonly Dictionary<string, string> Patterns = new()
    {
        ["date"] = Date,
        ["time"] = Time,
        ["date-time"] = $"{Date}T{Time}",
        ["duration"] = $@"P(\d{{1,4}}W|(\d{{1,4}}Y(\d{{1,4}}M(\d{{1,4}}D)?)?|\d{{1,4}}M(\d{{1,4}}D)?|\d{{1,4}}D)({Clock})?|{Clock})",
        ["uuid"] = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
        ["ipv4"] = $@"{Byte}\.{Byte}\.{Byte}\.{Byte}",
        ["ipv6"] = string.Join('|', Ipv6()),
        ["hostname"] = $@"{Label}(\.{Label}){{0,5}}",
        ["email"] = $@"[a-zA-Z0-9_+-]+(\.[a-zA-Z0-9_+-]+)*@{Label}(\.{Label}){{1,5}}",
        ["uri"] = @"[a-zA-Z][a-zA-Z0-9+.-]{0,20}://[a-zA-Z0-9.-]+(:\d{1,4})?(/([a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9a-fA-F]{2})*)*"
            + @"(\?([a-zA-Z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?(#([a-zA-Z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-fA-F]{2})*)?",
    };

    /// <summary>The expression of a format; null where it only annotates.</summary>
    public static string? PatternOf(JsonElement format) =>
        format.ValueKind == JsonValueKind.String ? Patterns.GetValueOrDefault(format.GetString()!) : null;

    /// <summary>RFC 4291 §2.2, forms 1 and 2: eight groups, or fewer around one "::".</summary>
    private static IEnumerable<string> Ipv6()
    {
        yield return $"({Hex16}:){{7}}{Hex16}";
        for (var before = 0; before <= 7; before++)
        {
            var head = before == 0 ? ":" : $"({Hex16}:){{{before}}}";
            var tail = 7 - before;
            yield return tail == 0 ? $"{head}:" : $"{head}:({Hex16}(:{Hex16}){{0,{tail - 1}}})?";
        }
    }
}
