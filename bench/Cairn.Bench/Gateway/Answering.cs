using System.Diagnostics;
using System.Globalization;

namespace Cairn.Bench.Gateway;

/// <summary>A process that answers at an address.</summary>
/// <param name="stop">Asks it to end; null where it is only killed.</param>
internal sealed class Answering(Process process, Uri address, Action? stop = null) : IDisposable
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux

    public Uri Address { get; } = address;

    /// <summary>Resident memory, MB.</summary>
    public double MemoryMb
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64 / 1e6;
        }
    }

    /// <summary>Processor time so far of the process and those it started, seconds.</summary>
    public double CpuSeconds => Tree(process.Id).Sum(id =>
    {
        var fields = File.ReadAllText($"/proc/{id}/stat");
        var numbers = fields[(fields.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(numbers[11], CultureInfo.InvariantCulture) + double.Parse(numbers[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    });

    public void Dispose()
    {
        stop?.Invoke();
        process.Kill(entireProcessTree: true);
        process.WaitForExit();
        process.Dispose();
    }

    private static IEnumerable<int> Tree(int id) => File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(child => Tree(int.Parse(child, CultureInfo.InvariantCulture))).Prepend(id);
}
