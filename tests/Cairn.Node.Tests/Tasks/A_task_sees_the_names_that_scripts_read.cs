using Cairn.Contracts.Frameworks;
using Cairn.Contracts.Wire;
using Cairn.Node.Tasks;

namespace Cairn.Node.Tests.Tasks;

public sealed class A_task_sees_the_names_that_scripts_read
{
    private static readonly Peer[] s_peers =
    [
        new() { Rank = 1, Address = "10.0.0.2", NodeName = "b" },
        new() { Rank = 0, Address = "10.0.0.1", NodeName = "a" },
    ];

    [Theory]
    [InlineData("MASTER_ADDR", "10.0.0.1")]
    [InlineData("MASTER_PORT", "29400")]
    [InlineData("WORLD_SIZE", "2")]
    [InlineData("RANK", "1")]
    [InlineData("LOCAL_RANK", "0")]
    [InlineData("NODE_RANK", "1")]
    [InlineData("LOCAL_WORLD_SIZE", "1")]
    [InlineData("SKYPILOT_NODE_RANK", "1")]
    [InlineData("SKYPILOT_NUM_NODES", "2")]
    [InlineData("SKYPILOT_NODE_IPS", "10.0.0.1\n10.0.0.2")]
    [InlineData("SKYPILOT_NUM_GPUS_PER_NODE", "2")]
    [InlineData("SKYPILOT_TASK_ID", "job-id")]
    [InlineData("SKYPILOT_SETUP_NODE_RANK", "1")]
    [InlineData("SKYPILOT_SETUP_NODE_IPS", "10.0.0.1\n10.0.0.2")]
    [InlineData("SKYPILOT_SETUP_NUM_GPUS_PER_NODE", "2")]
    [InlineData("SKYPILOT_CLUSTER_INFO", """{"cluster_name":"train","cloud":"acme","region":"r1","zone":""}""")]
    [InlineData("DSTACK_NODE_RANK", "1")]
    [InlineData("DSTACK_NODES_NUM", "2")]
    [InlineData("DSTACK_NODES_IPS", "10.0.0.1\n10.0.0.2")]
    [InlineData("DSTACK_MASTER_NODE_IP", "10.0.0.1")]
    [InlineData("DSTACK_GPUS_PER_NODE", "2")]
    [InlineData("DSTACK_GPUS_NUM", "4")]
    [InlineData("DSTACK_RUN_NAME", "train")]
    [InlineData("DSTACK_RUN_ID", "job-id")]
    [InlineData("DSTACK_JOB_ID", "task-id")]
    [InlineData("DSTACK_WORKING_DIR", "/w/workdir")]
    [InlineData("DSTACK_MPI_HOSTFILE", "/w/hostfile")]
    [InlineData("CAIRN_JOB_ID", "job-id")]
    [InlineData("CAIRN_TASK_ID", "task-id")]
    [InlineData("CAIRN_ATTEMPT", "3")]
    [InlineData("CAIRN_RANK", "1")]
    [InlineData("CAIRN_NODE_COUNT", "2")]
    [InlineData("CAIRN_PEERS", "10.0.0.1\n10.0.0.2")]
    [InlineData("CAIRN_MASTER_ADDR", "10.0.0.1")]
    [InlineData("CAIRN_MASTER_PORT", "29400")]
    [InlineData("CAIRN_ACCELERATORS_PER_NODE", "2")]
    [InlineData("CAIRN_CHECKPOINT_PATH", "/ck")]
    [InlineData("CAIRN_NODE_NAME", "node-b")]
    [InlineData("CAIRN_PROVIDER", "acme")]
    [InlineData("CAIRN_REGION", "r1")]
    [InlineData("CUDA_VISIBLE_DEVICES", "2,3")]
    [InlineData("MODEL", "mine")]
    [InlineData("TOKEN", "secret")]
    public void Each_name_has_its_value(string name, string value) =>
        Assert.Equal(value, TaskEnvironment.Build(Start(), s_peers, 29400, Place())[name]);

    [Fact]
    public void The_workloads_own_env_wins_over_aliases_and_not_over_cairns_names()
    {
        var start = Start();
        start.Env["MASTER_PORT"] = "1";
        start.Env["CAIRN_TASK_ID"] = "forged";
        var all = TaskEnvironment.Build(start, s_peers, 29400, Place());
        Assert.Equal("1", all["MASTER_PORT"]);
        Assert.Equal("task-id", all["CAIRN_TASK_ID"]);
    }

    [Fact]
    public void Simulated_devices_are_counted_and_not_named_to_libraries()
    {
        var place = Place() with { Devices = [new Device { Index = 2, Vendor = "nvidia", Simulated = true }] };
        var all = TaskEnvironment.Build(Start(), s_peers, 1, place);
        Assert.False(all.ContainsKey("CUDA_VISIBLE_DEVICES"));
        Assert.Equal("2", all["CAIRN_ACCELERATORS_PER_NODE"]);
    }

    [Fact]
    public void A_task_without_devices_sees_none_of_the_nodes()
    {
        var start = Start();
        start.DeviceIndexes.Clear();
        start.Accelerators = 0;
        Assert.Equal("", TaskEnvironment.Build(start, s_peers, 1, Place())["CUDA_VISIBLE_DEVICES"]);
    }

    [Fact]
    public void A_single_node_talks_to_itself_on_a_port_of_its_own()
    {
        var start = Start();
        (start.NodeCount, start.Rank) = (1, 0);
        var port = TaskEnvironment.DefaultMasterPort(start.TaskId);
        var all = TaskEnvironment.Build(start, [], port, Place());
        Assert.Equal("127.0.0.1", all["MASTER_ADDR"]);
        Assert.Equal("1", all["WORLD_SIZE"]);
        Assert.InRange(port, 20_000, 29_999);
        Assert.NotEqual(port, TaskEnvironment.DefaultMasterPort("another task"));
    }

    [Fact]
    public void What_its_framework_reads_wins_over_aliases_and_not_over_the_workloads_own_env()
    {
        var start = Start();
        start.Env["LOCAL_RANK"] = "mine";
        var place = Place() with
        {
            Framework = new FrameworkSetting(
                new Dictionary<string, string> { ["RANK"] = "7", ["LOCAL_RANK"] = "8", ["TF_CONFIG"] = "{}" }, "mpirun -np 2", "a\nb\n"),
        };
        var all = TaskEnvironment.Build(start, s_peers, 29400, place);
        Assert.Equal(("7", "mine", "{}"), (all["RANK"], all["LOCAL_RANK"], all["TF_CONFIG"]));
        Assert.Equal(("mpirun -np 2", "/w/hostfile"), (all["CAIRN_LAUNCH"], all["CAIRN_HOST_FILE"]));
        Assert.DoesNotContain("CAIRN_LAUNCH", TaskEnvironment.Build(start, s_peers, 29400, Place()).Keys);
    }

    [Fact]
    public void Its_placement_is_known_once_its_peers_are()
    {
        var placement = TaskEnvironment.Placement(Start(), s_peers, 29400, "/w/hostfile")!;
        Assert.Equal(["10.0.0.1", "10.0.0.2"], placement.Addresses);
        Assert.Equal((1, 29400, 2), (placement.Rank, placement.MasterPort, placement.SlotsPerNode));
        Assert.Null(TaskEnvironment.Placement(Start(), [], 29400, "/w/hostfile"));
    }

    [Fact]
    public void Peers_and_hosts_are_written_in_the_order_of_ranks()
    {
        Assert.Equal("0 10.0.0.1 a\n1 10.0.0.2 b\n", TaskEnvironment.PeersText(s_peers));
        Assert.Equal("10.0.0.1 slots=2\n10.0.0.2 slots=2\n", TaskEnvironment.HostText(Start(), s_peers));
    }

    private static StartTask Start()
    {
        var start = new StartTask
        {
            TaskId = "task-id", JobId = "job-id", JobName = "train", Project = "p", Attempt = 3, Rank = 1, NodeCount = 2,
            Provider = "acme", Region = "r1", Accelerators = 2,
        };
        start.DeviceIndexes.Add([2, 3]);
        start.Env["MODEL"] = "mine";
        start.Secrets["TOKEN"] = "secret";
        return start;
    }

    private static TaskPlace Place() => new()
    {
        NodeName = "node-b",
        Workdir = "/w/workdir",
        Home = "/w/home",
        Temp = "/w/tmp",
        PeersFile = "/w/peers",
        HostFile = "/w/hostfile",
        Checkpoint = "/ck",
        Devices = [.. Enumerable.Range(0, 4).Select(i => new Device { Index = i, Vendor = "nvidia" })],
    };
}
