namespace Cairn.Frameworks.Recipes.Training;

/// <summary>The recipes, one for each name of <see cref="Cairn.Contracts.Frameworks.FrameworkNames.Training"/>.</summary>
public static class TrainingRecipes
{
    // One process per node, as torch.distributed's env:// initialisation reads it. A launcher sets all of these anew for its processes.
    private static readonly (string, string)[] s_rendezvous =
    [
        ("RANK", "{rank}"), ("WORLD_SIZE", "{nodes}"), ("LOCAL_RANK", "0"), ("LOCAL_WORLD_SIZE", "1"), ("NODE_RANK", "{rank}"),
        ("MASTER_ADDR", "{master_addr}"), ("MASTER_PORT", "{master_port}"),
    ];

    // torchrun takes PET_X where its argument --x is not given.
    private static readonly (string, string)[] s_torchrun =
    [
        ("PET_NNODES", "{nodes}"), ("PET_NPROC_PER_NODE", "{slots}"), ("PET_NODE_RANK", "{rank}"), ("PET_MASTER_ADDR", "{master_addr}"),
        ("PET_MASTER_PORT", "{master_port}"),
    ];

    private static readonly (string, string)[] s_loopback =
        [("GLOO_SOCKET_IFNAME", "lo"), ("NCCL_SOCKET_IFNAME", "lo"), ("TP_SOCKET_IFNAME", "lo")];

    // With underscores, which every version takes.
    private const string Torchrun =
        "torchrun --nnodes={nodes} --nproc_per_node={slots} --node_rank={rank} --master_addr={master_addr} --master_port={master_port}";

    public static IReadOnlyList<TrainingRecipe> All { get; } =
    [
        new()
        {
            Name = "pytorch", Title = "PyTorch, one process per node",
            Source = "docs.pytorch.org/docs/stable/distributed.html",
            Environment = [.. s_rendezvous, .. s_torchrun], LoopbackEnvironment = s_loopback, Launch = Torchrun,
        },
        new()
        {
            Name = "torchrun", Title = "PyTorch, one process per accelerator",
            Source = "docs.pytorch.org/docs/stable/elastic/run.html",
            Environment = [.. s_rendezvous, .. s_torchrun], LoopbackEnvironment = s_loopback, Launch = Torchrun,
        },
        new()
        {
            Name = "pytorch-fsdp", Title = "PyTorch FSDP, one process per accelerator",
            Source = "huggingface.co/docs/accelerate/usage_guides/fsdp",
            // Trainers built on Accelerate shard where this says so; programs that call FSDP themselves do not read it.
            Environment = [.. s_rendezvous, .. s_torchrun, ("ACCELERATE_USE_FSDP", "true")],
            LoopbackEnvironment = s_loopback, Launch = Torchrun,
        },
        new()
        {
            Name = "deepspeed", Title = "DeepSpeed",
            Source = "deepspeed.ai/getting-started",
            Environment = s_rendezvous, LoopbackEnvironment = s_loopback,
            // Every node starts its own processes, from version 0.14.5 on; without it the launcher needs ssh to all of them.
            Launch = "deepspeed --hostfile={host_file} --no_ssh --node_rank={rank} --master_addr={master_addr} --master_port={master_port}",
        },
        new()
        {
            Name = "accelerate", Title = "Hugging Face Accelerate",
            Source = "huggingface.co/docs/accelerate/basic_tutorials/launch",
            Environment = s_rendezvous, LoopbackEnvironment = s_loopback,
            Launch = "accelerate launch --num_machines={nodes} --num_processes={processes} --machine_rank={rank} "
                + "--main_process_ip={master_addr} --main_process_port={master_port}",
        },
        new()
        {
            Name = "tensorflow", Title = "TensorFlow, MultiWorkerMirroredStrategy",
            Source = "tensorflow.org/api_docs/python/tf/distribute/cluster_resolver/TFConfigClusterResolver",
            Environment = [("TF_CONFIG", """{"cluster":{"worker":{workers}},"task":{"type":"worker","index":{rank}}}""")],
        },
        new()
        {
            Name = "jax", Title = "JAX, one process per node",
            Source = "docs.jax.dev/en/latest/multi_process.html",
            Environment =
            [
                ("JAX_COORDINATOR_ADDRESS", "{master_addr}:{master_port}"), ("JAX_NUM_PROCESSES", "{nodes}"), ("JAX_PROCESS_ID", "{rank}"),
            ],
        },
        new()
        {
            Name = "mpi", Title = "Open MPI",
            Source = "docs.open-mpi.org/en/main/tuning-apps/environment-var.html",
            Environment =
            [
                ("OMPI_COMM_WORLD_RANK", "{rank}"), ("OMPI_COMM_WORLD_SIZE", "{nodes}"), ("OMPI_COMM_WORLD_LOCAL_RANK", "0"),
                ("OMPI_COMM_WORLD_LOCAL_SIZE", "1"), ("OMPI_COMM_WORLD_NODE_RANK", "0"), ("OMPI_MCA_orte_default_hostfile", "{host_file}"),
            ],
            Launch = "mpirun --hostfile {host_file} -np {processes}",
        },
        new()
        {
            Name = "mpich", Title = "MPICH and Intel MPI",
            Source = "github.com/pmodels/mpich, doc/wiki/how_to/Using_the_Hydra_Process_Manager.md",
            Environment =
            [
                ("PMI_RANK", "{rank}"), ("PMI_SIZE", "{nodes}"), ("MPI_LOCALRANKID", "0"), ("MPI_LOCALNRANKS", "1"),
                ("HYDRA_HOST_FILE", "{host_file}"),
            ],
            HostLine = "{host}:{slots}",
            Launch = "mpiexec -f {host_file} -n {processes}",
        },
    ];

    /// <summary>The recipe of a framework by its canonical name; null where nothing is set up for it.</summary>
    public static TrainingRecipe? Of(string name) => All.FirstOrDefault(recipe => recipe.Name == name);
}
