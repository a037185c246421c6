using System.Diagnostics;

namespace Cairn.EndToEnd.Tests;

/// <summary>A job that names its framework runs with what the framework reads, and nothing else is said to it.</summary>
[Trait("speed", "slow")]
public sealed class A_framework_finds_its_ranks
{
    // Each rank has other data and so another gradient; DistributedDataParallel makes their mean of it on all, by gloo over loopback.
    private const string Program =
        """
          cat > ddp.py <<'END'
          import torch, torch.distributed as dist
          from torch.nn.parallel import DistributedDataParallel
          dist.init_process_group("gloo")
          model = torch.nn.Linear(1, 1, bias=False)
          torch.nn.init.ones_(model.weight)
          parallel = DistributedDataParallel(model)
          parallel(torch.tensor([[float(10 ** dist.get_rank())]])).sum().backward()
          print(f"rank {dist.get_rank()} of {dist.get_world_size()} gradient {model.weight.grad.item():.2f}")
          dist.barrier()
          END
        """;

    [Fact]
    public async Task PyTorch_trains_on_two_nodes_from_its_environment_alone()
    {
        var log = await RunAsync(simulate: [],
            $"""
            name: ddp
            nodes: 2
            framework: pytorch
            resources: {"{spread: true, cpus: 1}"}
            run: |
            {Program}
              exec /usr/bin/python3 ddp.py
            """);
        foreach (var rank in new[] { 0, 1 })
            Assert.Contains($"rank {rank} of 2 gradient 5.50", log, StringComparison.Ordinal);
    }

    /// <summary>One node's launcher has its arguments from Cairn, the other's has none and reads the environment.</summary>
    [Fact]
    public async Task Torchrun_starts_a_process_for_each_accelerator_of_two_nodes()
    {
        // Debian's torchrun takes its default of these three for an error.
        var log = await RunAsync(simulate: ["--simulate", "H100:2"],
            $"""
            name: ddp
            nodes: 2
            framework: torchrun
            resources: {"{spread: true, cpus: 1, accelerators: H100:2}"}
            env: {"{PET_REDIRECTS: 1, PET_TEE: 1, PET_LOG_DIR: logs}"}
            run: |
            {Program}
              if [ "$CAIRN_RANK" = 0 ]; then exec $CAIRN_LAUNCH ddp.py; else exec torchrun ddp.py; fi
            """);
        foreach (var rank in new[] { 0, 1, 2, 3 })
            Assert.Contains($"rank {rank} of 4 gradient 277.75", log, StringComparison.Ordinal);
    }

    private static async Task<string> RunAsync(string[] simulate, string workload)
    {
        await InstallTorchAsync();
        await using var server = await CairnUp.StartServerAsync();
        await server.GrantAsync(10);
        await using var first = await CairnNode.JoinAsync(server, "first", ["--price", "1", .. simulate]);
        await using var second = await CairnNode.JoinAsync(server, "second", ["--price", "1", .. simulate]);

        (await server.Cli.RunAsync("run", server.WriteFile("ddp.yaml", workload), "--yes", "-d")).Succeeded();
        var job = await server.UntilPhaseAsync("ddp", "succeeded");
        Assert.Equal(["first", "second"], job.Tasks().Select(task => task.Text("node")).Order());
        return await server.LogTextAsync("ddp");
    }

    private static async Task InstallTorchAsync()
    {
        var script = Path.Combine(CairnProgram.Root, "eng", "install-engines.sh");
        using var process = Process.Start(new ProcessStartInfo(script, ["torch"]) { RedirectStandardError = true })!;
        var why = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(process.ExitCode != 0 && Environment.GetEnvironmentVariable("CI") != "true", why);
        Assert.True(process.ExitCode == 0, why);
    }
}
