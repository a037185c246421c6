using System.Globalization;
using Cairn.Bench.Figures;

namespace Cairn.Bench.Engine;

/// <summary>What the engine's loads print alike.</summary>
internal static class EngineFigures
{
    /// <summary>Of the model that is measured; also where the machine has more.</summary>
    public const int Threads = 2;

    public static int Rounds(string[] args, int standard) =>
        args.Length > 0 && int.TryParse(args[0], NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds > 0 ? rounds : standard;

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[sorted.Count / 2 - 1] + sorted[sorted.Count / 2]) / 2;
    }

    public static void Say(FormattableString line) => Console.WriteLine("  " + FigureRow.Text(line));

    public static bool Row(string work, string reach, bool reached, FormattableString measured)
    {
        FigureRow.Print(work, reach, FigureRow.Text(measured));
        if (!reached)
            Console.WriteLine("  MISSED");
        return reached;
    }
}
