using System.Globalization;
using Cairn.Bench.Figures;
using Cairn.Bench.Servers;

namespace Cairn.Bench.Idle;

/// <summary>A control plane with one node, both in one process, that nobody uses: how soon it is ready, and what it takes of the machine.</summary>
internal static class IdleLoad
{
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(20);

    /// <summary>Argument: seconds (default 30).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var time = TimeSpan.FromSeconds(args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 30);
        await using var server = await ServerProcess.StartAsync("up");
        var (started, residentAtFirst) = (server.ProcessorTime, server.ResidentBytes);
        await Task.Delay(s_settle);
        var (before, began) = (server.ProcessorTime, TimeProvider.System.GetTimestamp());
        await Task.Delay(time);
        var share = (server.ProcessorTime - before) / TimeProvider.System.GetElapsedTime(began);
        var resident = server.ResidentBytes;
        Console.WriteLine(FigureRow.Text($"ready after {server.ReadyAfter.TotalSeconds:0.00} s with {started.TotalSeconds:0.00} s of processor time and {residentAtFirst / 1e6:N0} MB"));
        Console.WriteLine(FigureRow.Text($"settling took {(before - started).TotalMilliseconds:N0} ms of processor time in {s_settle.TotalSeconds:0} s"));
        FigureRow.Print("idle `cairn up`", "under 200 MB, under 1 % of a core",
            FigureRow.Text($"{resident / 1e6:N0} MB, {share:P2} of a core; ready after {server.ReadyAfter.TotalSeconds:0.0} s"));
        return share < 0.01 && resident < 200_000_000 && server.ReadyAfter < TimeSpan.FromSeconds(3);
    }
}
