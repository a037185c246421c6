using Cairn.Contracts.Frameworks;
using Cairn.Frameworks.Recipes.Training;

namespace Cairn.Frameworks.Tests.Recipes;

/// <summary>Each framework's contract as its own documentation words it, for the second of two nodes with eight accelerators each.</summary>
public sealed class Training_recipes
{
    private static readonly TaskPlacement s_second = new()
    {
        Rank = 1, Addresses = ["10.0.0.1", "10.0.0.2"], MasterPort = 29_400, SlotsPerNode = 8, HostFile = "/w/hostfile",
    };

    [Fact]
    public void Are_there_for_each_name_that_a_workload_may_say() =>
        Assert.Equal(FrameworkNames.Training.Order(), TrainingRecipes.All.Select(recipe => recipe.Name).Order());

    [Theory]
    [InlineData("pytorch")]
    [InlineData("torchrun")]
    [InlineData("pytorch-fsdp")]
    [InlineData("deepspeed")]
    [InlineData("accelerate")]
    public void Say_to_torch_distributed_what_env_initialisation_reads(string framework)
    {
        var environment = For(framework).Environment;
        Assert.Equal(("10.0.0.1", "29400"), (environment["MASTER_ADDR"], environment["MASTER_PORT"]));
        Assert.Equal(("1", "2", "0"), (environment["RANK"], environment["WORLD_SIZE"], environment["LOCAL_RANK"]));
        Assert.DoesNotContain("GLOO_SOCKET_IFNAME", environment.Keys);
    }

    [Theory]
    [InlineData("pytorch")]
    [InlineData("torchrun")]
    [InlineData("pytorch-fsdp")]
    public void Let_torchrun_start_a_process_per_accelerator_with_or_without_arguments(string framework)
    {
        var setting = For(framework);
        Assert.Equal("torchrun --nnodes=2 --nproc_per_node=8 --node_rank=1 --master_addr=10.0.0.1 --master_port=29400", setting.Launch);
        Assert.Equal(["10.0.0.1", "29400", "2", "1", "8"],
            setting.Environment.Where(pair => pair.Key.StartsWith("PET_", StringComparison.Ordinal)).Select(pair => pair.Value));
        Assert.Equal(["PET_MASTER_ADDR", "PET_MASTER_PORT", "PET_NNODES", "PET_NODE_RANK", "PET_NPROC_PER_NODE"],
            setting.Environment.Keys.Where(name => name.StartsWith("PET_", StringComparison.Ordinal)));
        Assert.Equal(framework == "pytorch-fsdp", setting.Environment.ContainsKey("ACCELERATE_USE_FSDP"));
    }

    [Fact]
    public void Give_DeepSpeed_its_hosts_and_no_need_of_ssh()
    {
        var setting = For("deepspeed");
        Assert.Equal(
            "deepspeed --hostfile=/w/hostfile --no_ssh --node_rank=1 --master_addr=10.0.0.1 --master_port=29400", setting.Launch);
        Assert.Equal("10.0.0.1 slots=8\n10.0.0.2 slots=8\n", setting.HostFile);
    }

    [Fact]
    public void Count_all_processes_for_Accelerate() => Assert.Equal(
        "accelerate launch --num_machines=2 --num_processes=16 --machine_rank=1 --main_process_ip=10.0.0.1 --main_process_port=29400",
        For("accelerate").Launch);

    [Fact]
    public void Name_every_worker_to_TensorFlow() => Assert.Equal(
        """{"cluster":{"worker":["10.0.0.1:29400","10.0.0.2:29400"]},"task":{"type":"worker","index":1}}""",
        Assert.Single(For("tensorflow").Environment, pair => pair.Key == "TF_CONFIG").Value);

    [Fact]
    public void Name_the_coordinator_and_the_process_to_JAX() => Assert.Equal(
        new Dictionary<string, string>
        {
            ["JAX_COORDINATOR_ADDRESS"] = "10.0.0.1:29400", ["JAX_NUM_PROCESSES"] = "2", ["JAX_PROCESS_ID"] = "1",
        },
        For("jax").Environment);

    [Fact]
    public void Give_Open_MPI_its_hosts_with_slots_and_programs_their_place()
    {
        var setting = For("mpi");
        Assert.Equal("mpirun --hostfile /w/hostfile -np 16", setting.Launch);
        Assert.Equal("10.0.0.1 slots=8\n10.0.0.2 slots=8\n", setting.HostFile);
        Assert.Equal(("1", "2", "0", "1"), (
            setting.Environment["OMPI_COMM_WORLD_RANK"], setting.Environment["OMPI_COMM_WORLD_SIZE"],
            setting.Environment["OMPI_COMM_WORLD_LOCAL_RANK"], setting.Environment["OMPI_COMM_WORLD_LOCAL_SIZE"]));
    }

    [Fact]
    public void Give_MPICH_its_hosts_with_a_colon_and_programs_their_place()
    {
        var setting = For("mpich");
        Assert.Equal("mpiexec -f /w/hostfile -n 16", setting.Launch);
        Assert.Equal("10.0.0.1:8\n10.0.0.2:8\n", setting.HostFile);
        Assert.Equal(("1", "2", "0"),
            (setting.Environment["PMI_RANK"], setting.Environment["PMI_SIZE"], setting.Environment["MPI_LOCALRANKID"]));
    }

    [Fact]
    public void Keep_ranks_of_one_machine_apart_and_on_its_loopback()
    {
        var placement = s_second with { Addresses = ["127.0.0.1", "127.0.0.1"] };
        Assert.Contains("[\"127.0.0.1:29400\",\"127.0.0.1:29401\"]", TrainingRecipes.Of("tensorflow")!.For(placement).Environment["TF_CONFIG"],
            StringComparison.Ordinal);
        var environment = TrainingRecipes.Of("pytorch")!.For(placement).Environment;
        Assert.Equal(("lo", "lo"), (environment["GLOO_SOCKET_IFNAME"], environment["NCCL_SOCKET_IFNAME"]));
    }

    [Fact]
    public void Leave_no_word_in_braces_unfilled() => Assert.All(TrainingRecipes.All, recipe =>
    {
        var setting = recipe.For(s_second);
        Assert.All([setting.Launch, setting.HostFile, .. setting.Environment.Values], text => Assert.DoesNotMatch(@"\{[a-z_]+\}", text));
    });

    [Fact]
    public void Refuse_a_rank_that_is_not_there() =>
        Assert.Throws<ArgumentException>(() => TrainingRecipes.Of("jax")!.For(s_second with { Rank = 2 }));

    private static FrameworkSetting For(string framework) => TrainingRecipes.Of(framework)!.For(s_second);
}
