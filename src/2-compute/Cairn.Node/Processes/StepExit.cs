using System.Globalization;

namespace Cairn.Node.Processes;

/// <summary>How a step of a task ended: by itself with a code, or by a signal.</summary>
/// <param name="Code">The exit code; null where a signal ended it.</param>
/// <param name="Signal">The signal's number; null where it ended by itself.</param>
internal readonly record struct StepExit(int? Code, int? Signal)
{
    public bool IsSuccess => Code == 0;

    /// <summary>Reads what the supervisor wrote: <c>exit 3</c> or <c>signal 9</c>.</summary>
    public static StepExit? Parse(string text)
    {
        var words = text.Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != 2 || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        return words[0] switch
        {
            "exit" => new StepExit(number, null),
            "signal" => new StepExit(null, number),
            _ => null,
        };
    }

    public override string ToString() => Signal is { } signal ? $"signal {signal}" : $"exit code {Code}";
}
