using BenchmarkDotNet.Running;
using Cairn.Bench.Batches;
using Cairn.Bench.Engine;
using Cairn.Bench.Figures;
using Cairn.Bench.Gateway;
using Cairn.Bench.Heartbeats;
using Cairn.Bench.Idle;
using Cairn.Bench.Jobs;
using Cairn.Bench.Latency;
using Cairn.Bench.Planning;
using Cairn.Bench.Prefixes;
using Cairn.Bench.Scheduling;
using Cairn.Bench.State;
using Cairn.Bench.Tunnel;
using Cairn.Bench.Waking;

namespace Cairn.Bench;

/// <summary>The loads by name.</summary>
internal static class Loads
{
    private const string Help =
        """
        Measures Cairn. Each load prints what it measured and a row for docs/benchmarks.md.

          dotnet run -c Release --project bench/Cairn.Bench -- NAME [ARGUMENTS]

          planning                           plan one workload, and a DAG, over 100,000 offers
          scheduling                         place on 40,000 simulated nodes with 320,000 accelerators
          jobs [JOBS CONNECTIONS STREAMS]    whole jobs through a real server with 1,000 simulated daemons; default 20000 256 8
          heartbeats [NODES SECONDS]         idle simulated nodes that send heartbeats every 10 s; default 40000 30
          latency [RUNS]                     'cairn run' of echo to its first log line; default 30
          idle [SECONDS]                     a 'cairn up' that does nothing; default 30
          state [DATABASE SECONDS]           durable fenced steps and reads of the store alone
          engine                             the embedded engine: all of the following
          engine-batch [ROUNDS]              batch 8 against batch 1
          engine-http [ROUNDS FLAGS]         'cairn engine', with its FLAGS, over HTTP against the bare ONNX Runtime step loop
          engine-llama [ROUNDS FLAGS]        against llama-server with the same weights
          engine-prefix [ROUNDS]             time to the first token with a cached prefix and without
          engine-smooth [ROUNDS FLAGS]       time between tokens while a long prompt arrives
          engine-cold [STARTS]               from the start of the program to the first token
          engine-json [ROUNDS]               output constrained by a JSON Schema against free output
          engine-trees [TREES DEPTH CLIENTS SECONDS]  tree models with and without dynamic batching; default 100 6 64 3
          engine-unload [TIMES]              memory after loading and unloading a model; default 1000
          tunnel [CLIENTS SECONDS]           a service through its node's tunnel against direct; default 4 1.5
          wake [ROUNDS]                      a chat to an endpoint that sleeps, to its first token; default 7
          batch [LINES BYTES]                a whole batch at a provider on loopback; default 50000 1000
          prefix [GROUPS SECONDS]            prefix-aware against random routing over four engines; default 32 25
          gateway                            the gateway before a mock upstream: all of the following
          gateway-latency                    latency it adds at 1,000 requests/s, and YARP and nginx
          gateway-saturation                 requests/s against bare YARP and nginx
          gateway-streams                    500 streams at once: time to the first event, and to each
          gateway-route                      one routing decision over 1,000 replicas
          gateway-memory [REQUESTS]          memory with 10,000 keys and 1,000 models; default 1000000
          all                                every load above but state and engine
          micro [ARGUMENTS]                  micro-benchmarks; the arguments are BenchmarkDotNet's

        jobs, heartbeats, latency, idle, wake, batch, prefix and engine run the published program: './cairn --version' publishes it, CAIRN_PROGRAM names another.
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        if (args.Length == 0 || args[0] is "help" or "--help" or "-h")
        {
            Console.WriteLine(Help);
            return args.Length == 0 ? 2 : 0;
        }

        if (args[0] == "micro")
        {
            BenchmarkSwitcher.FromAssembly(typeof(Loads).Assembly).Run(args[1..]);
            return 0;
        }

        // What the loads 'tunnel' and 'gateway' start as processes of their own.
        if (args[0] is "tunnel-node")
            return await TunnelWorld.RunNodeAsync(args[1..]) ? 0 : 1;
        if (args[0] is "gateway-part")
            return await GatewayPart.RunAsync(args[1..]) ? 0 : 1;
        if (args[0] is "tunnel-replica")
            return await TunnelReplica.RunAsync(args[1..]) ? 0 : 1;

        string[] names = args[0] switch
        {
            "all" => ["planning", "scheduling", "jobs", "heartbeats", "latency", "idle"],
            "engine" => [.. EngineLoads.Names],
            "gateway" => [.. GatewayLoad.Names],
            _ => [args[0]],
        };
        var good = true;
        foreach (var name in names)
        {
            Console.WriteLine($"{name}: {MachineFacts.Describe()}");
            try
            {
                good &= await RunAsync(name, names.Length > 1 ? [] : args[1..]);
            }
            catch (Exception exception) when (names.Length > 1)
            {
                // The others are measured all the same.
                Console.WriteLine($"{name} failed: {exception}");
                good = false;
            }

            Console.WriteLine();
        }

        return good ? 0 : 1;
    }

    private static async Task<bool> RunAsync(string name, string[] args)
    {
        switch (name)
        {
            case "planning":
                return PlanningLoad.Run();
            case "scheduling":
                return SchedulingLoad.Run();
            case "state":
                return StoreLoad.Run(args) == 0;
            case "jobs":
                return await JobsLoad.RunAsync(args);
            case "heartbeats":
                return await HeartbeatsLoad.RunAsync(args);
            case "latency":
                return await LatencyLoad.RunAsync(args);
            case "idle":
                return await IdleLoad.RunAsync(args);
            case var engine when EngineLoads.Find(engine) is { } load:
                return await load(args);
            case "wake":
                return await WakeLoad.RunAsync(args);
            case "prefix":
                return await PrefixRoutingLoad.RunAsync(args);
            case var gateway when GatewayLoad.Find(gateway) is { } load:
                return load(args);
            case "batch":
                return await BatchOfLinesLoad.RunAsync(args);
            case "tunnel":
                return await TunnelLoad.RunAsync(args);
            default:
                Console.WriteLine($"There is no load '{name}'.\n{Help}");
                return false;
        }
    }
}
