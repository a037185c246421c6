using System.Globalization;

namespace Cairn.Node.Processes;

/// <summary>One process, once: its id and when it started, in clock ticks since boot, because ids are used again.</summary>
internal readonly record struct ProcessName(int Id, long StartTicks)
{
    /// <summary>Reads what the supervisor wrote: <c>PID TICKS</c>.</summary>
    public static ProcessName? Parse(string text)
    {
        var words = text.Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 2
            && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            ? new ProcessName(id, ticks)
            : null;
    }

    /// <summary>True where this very process is there and has not ended.</summary>
    public bool IsAlive() => ProcessStat.Read(Id) is { } stat && stat.StartTicks == StartTicks && stat.State is not ('Z' or 'X');
}

/// <summary>The fields of <c>/proc/PID/stat</c> that matter here; see proc(5).</summary>
internal readonly record struct ProcessStat(int Id, char State, int Group, int Session, long StartTicks)
{
    public static ProcessStat? Read(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/stat");
            // The name may hold spaces and brackets: the fields begin behind its last one.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return new ProcessStat(id, fields[0][0], Number(fields[2]), Number(fields[3]), long.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
