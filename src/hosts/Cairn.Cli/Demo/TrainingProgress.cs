using System.Globalization;
using System.Text.RegularExpressions;
using Cairn.Cli.CommandLine;
using Spectre.Console;

namespace Cairn.Cli.Demo;

/// <summary>Reads loss and throughput from the training's log lines and shows them as they come.</summary>
internal sealed partial class TrainingProgress(Output output)
{
    private const int BarWidth = 40;

    // Of the untrained model: the full bar.
    private double? _firstLoss;

    public void Add(int rank, string line)
    {
        if (rank != 0)
            return;
        if (StepLine().Match(line) is not { Success: true } match)
        {
            output.Line("  " + line);
            return;
        }

        var loss = double.Parse(match.Groups["loss"].Value, CultureInfo.InvariantCulture);
        _firstLoss ??= loss;
        var filled = (int)Math.Round(BarWidth * Math.Clamp(loss / _firstLoss.Value, 0, 1));
        var bar = new string('█', filled) + new string('·', BarWidth - filled);
        output.Markup($"  step {match.Groups["step"].Value,-9} loss [cyan]{bar}[/] {loss:0.000}   {match.Groups["speed"].Value} tokens/s");
    }

    [GeneratedRegex(@"^step (?<step>\d+/\d+) loss (?<loss>[\d.]+) tokens/s (?<speed>\d+)$")]
    private static partial Regex StepLine();
}
