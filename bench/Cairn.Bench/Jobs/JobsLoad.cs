using System.Diagnostics;
using System.Globalization;
using Cairn.Bench.Figures;
using Cairn.Bench.Servers;
using Cairn.Bench.Simulated;

namespace Cairn.Bench.Jobs;

/// <summary>
/// Whole jobs through a real control plane on SQLite with synchronous=FULL: submitted over HTTP, durable, placed, started on a simulated daemon, logged,
/// finished and billed. The time is from the first submission to the last acknowledged end, which follows the commit of its charge. Afterwards the server
/// is killed, and every accepted job is looked for in the rows that are left.
/// </summary>
internal static class JobsLoad
{
    private const int Nodes = 1_000;
    private const int WarmUp = 3_000;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    /// <summary>Arguments: jobs (default 20,000), HTTP connections (256), streams that stand for the 1,000 nodes (8).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var jobs = Number(args, 0, 20_000);
        var connections = Number(args, 1, 256);
        var streams = Number(args, 2, 8);
        Console.WriteLine(FigureRow.Text($"making a file takes {MachineFacts.FileCreationMicros():N0} µs here; each job's log is one"));
        await using var server = await ServerProcess.StartAsync("server");
        using var api = new ServerApi(server);
        await api.GrantAsync(1_000_000);
        var count = new EchoCount();
        await using var script = new EchoScript(count);
        var joining = Stopwatch.GetTimestamp();
        await using var daemons = await SimulatedDaemons.StartAsync(server, await api.JoinTokenAsync(), Nodes, streams, script);
        daemons.KeepBeating();
        Console.WriteLine(FigureRow.Text(
            $"{daemons.Count:N0} simulated daemons joined and attached over {streams} streams in {Stopwatch.GetElapsedTime(joining).TotalSeconds:0.0} s"));
        var submitters = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => JobSubmitter.ConnectAsync(server)));

        var accepted = new List<string>(jobs + WarmUp);
        await RunAsync(submitters, count, WarmUp, accepted);
        var before = Cost.Of(server);
        var began = Stopwatch.GetTimestamp();
        await RunAsync(submitters, count, jobs, accepted);
        var elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var cost = Cost.Of(server).Since(before, jobs);
        Array.ForEach(submitters, submitter => submitter.Dispose());

        var audit = await api.AuditAsync();
        var resident = server.ResidentBytes;
        await daemons.DisposeAsync();
        await server.KillAsync();
        var faults = JobsProof.Check(server.DatabasePath, accepted, count);
        if (!audit.Ok)
            faults.AddRange(audit.Findings);
        Report(jobs, connections, elapsed, cost, resident, faults, server);
        return faults.Count == 0;
    }

    private static async Task RunAsync(JobSubmitter[] submitters, EchoCount count, int jobs, List<string> accepted)
    {
        var ended = count.WhenEnded(count.EndedTasks + jobs);
        var left = jobs;
        var ids = await Task.WhenAll(submitters.Select(submitter => Task.Run(async () =>
        {
            var mine = new List<string>();
            while (Interlocked.Decrement(ref left) >= 0)
                mine.Add(await submitter.SubmitAsync(Guid.NewGuid()));
            return mine;
        })));
        accepted.AddRange(ids.SelectMany(mine => mine));
        await ended.WaitAsync(s_patience);
    }

    private static void Report(int jobs, int connections, double elapsed, Cost cost, long resident, List<string> faults, ServerProcess server)
    {
        Console.WriteLine(FigureRow.Text($"{jobs:N0} jobs over {connections} connections in {elapsed:0.00} s: {jobs / elapsed:N0} jobs/s"));
        Console.WriteLine(FigureRow.Text($"  processor time per job: server {cost.Server:N0} µs, generator {cost.Generator:N0} µs; server holds {resident / 1e6:N0} MB"));
        var possible = Environment.ProcessorCount / (cost.Server + cost.Generator) * 1e6;
        Console.WriteLine(FigureRow.Text($"  at that cost {Environment.ProcessorCount} cores that do nothing else carry at most {possible:N0} jobs/s"));
        foreach (var line in server.Said.Where(line => line.Contains("warn:", StringComparison.Ordinal) || line.Contains("fail:", StringComparison.Ordinal)).Take(5))
            Console.WriteLine($"  the server said: {line}");
        foreach (var fault in faults.Take(20))
            Console.WriteLine($"  FAULT: {fault}");
        FigureRow.Print(
            "whole jobs through a real server on SQLite with 1,000 simulated daemons on real gRPC (submitted, durable, placed, started, finished, billed)",
            "2,000 jobs/s on 2 cores, nothing lost",
            FigureRow.Text($"{jobs / elapsed:N0} jobs/s, {cost.Server + cost.Generator:N0} µs of processor time a job, ")
                + (faults.Count == 0 ? "nothing lost" : $"{faults.Count} FAULTS"));
    }

    private static int Number(string[] args, int index, int otherwise) =>
        args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Processor time, in microseconds per job once divided.</summary>
    private readonly record struct Cost(double Server, double Generator)
    {
        public static Cost Of(ServerProcess server)
        {
            using var self = Process.GetCurrentProcess();
            return new Cost(server.ProcessorTime.TotalMicroseconds, self.TotalProcessorTime.TotalMicroseconds);
        }

        public Cost Since(Cost before, int jobs) => new((Server - before.Server) / jobs, (Generator - before.Generator) / jobs);
    }
}
