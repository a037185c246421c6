using System.Numerics;

namespace Cairn.Frameworks.Engine.Batching;

/// <summary>
/// What steps took lately, as far as it was measured: moving averages for prefill chunks by size (powers of two), for decode steps by rows,
/// and for restoring a block. What was never measured is scaled from the nearest size that was.
/// </summary>
internal sealed class StepCosts
{
    /// <summary>Weight of the newest measurement: high enough to follow a growing context, low enough to shrug off one slow step.</summary>
    private const double Newest = 0.25;

    private readonly double[] _prefill = new double[20];
    private readonly double[] _decode;

    public StepCosts(int rows) => _decode = new double[rows + 1];

    public double RestoreMilliseconds { get; private set; }

    public void ObservePrefill(int tokens, double milliseconds)
    {
        var size = BitOperations.Log2((uint)tokens);
        Average(ref _prefill[Math.Min(size, _prefill.Length - 1)], milliseconds * (1 << size) / tokens);
    }

    public void ObserveDecode(int rows, double milliseconds) => Average(ref _decode[rows], milliseconds);

    public void ObserveRestore(int blocks, double milliseconds)
    {
        var mean = RestoreMilliseconds;
        Average(ref mean, milliseconds / blocks);
        RestoreMilliseconds = mean;
    }

    /// <summary>Of a chunk of so many tokens; 0 where nothing was measured.</summary>
    public double PrefillMilliseconds(int tokens)
    {
        var size = BitOperations.Log2((uint)tokens);
        var nearest = Nearest(_prefill, Math.Min(size, _prefill.Length - 1));
        return nearest < 0 ? 0 : _prefill[nearest] * tokens / (1 << nearest);
    }

    /// <summary>Of one step of so many rows; 0 where nothing was measured.</summary>
    public double DecodeMilliseconds(int rows)
    {
        var nearest = Nearest(_decode, rows);
        return nearest < 0 ? 0 : _decode[nearest];
    }

    private static int Nearest(double[] measured, int index)
    {
        for (var distance = 0; distance < measured.Length; distance++)
        {
            if (index - distance >= 0 && measured[index - distance] > 0)
                return index - distance;
            if (index + distance < measured.Length && measured[index + distance] > 0)
                return index + distance;
        }
        return -1;
    }

    private static void Average(ref double mean, double measured)
    {
        var value = Math.Max(measured, 1e-6);
        mean = mean == 0 ? value : mean + Newest * (value - mean);
    }
}
