using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Cairn.Cli.Batches;
using Cairn.Cli.Bills;
using Cairn.Cli.Certificates;
using Cairn.Cli.Completion;
using Cairn.Cli.Connection;
using Cairn.Cli.Demo;
using Cairn.Cli.Endpoints;
using Cairn.Cli.Engine;
using Cairn.Cli.Gateways;
using Cairn.Cli.Jobs;
using Cairn.Cli.ModelCatalog;
using Cairn.Cli.Nodes;
using Cairn.Cli.Offers;
using Cairn.Cli.Projects;
using Cairn.Cli.Providers;
using Cairn.Cli.Up;
using Cairn.Cli.Usage;

namespace Cairn.Cli.CommandLine;

/// <summary>The tree of commands.</summary>
internal static class CairnRoot
{
    public static RootCommand Create()
    {
        var root = new RootCommand(
            "Cairn: one control plane for AI infrastructure. Describe a workload once; Cairn finds the cheapest place that meets its needs, runs it there and accounts for every second.");
        foreach (var option in GlobalOptions.All)
            root.Options.Add(option);
        foreach (var command in Commands())
            root.Subcommands.Add(command);
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExample((SynchronousCommandLineAction)help.Action!);
        return root;
    }

    // In the order in which a newcomer meets them.
    private static IEnumerable<Command> Commands() =>
    [
        new DemoCommand(), new UpCommand(), new PlanCommand(), new RunCommand(),
        new JobsCommand(), new JobCommand(), new LogsCommand(), new StopCommand(), new WaitCommand(), new OutputCommand(), new BillCommand(),
        new ServeCommand(), new EndpointsCommand(), new EndpointCommand(), new ChatCommand(), new ScaleCommand(), new RolloutCommand(), new UndoCommand(),
        new BatchCommand(), new BatchesCommand(), new UsageCommand(), new ExplainCommand(), new ProvidersCommand(),
        new OffersCommand(), new CompareCommand(), new CatalogCommand(), new ModelsCommand(),
        new NodesCommand(), new NodeCommand(), NodeActionCommand.Cordon(), NodeActionCommand.Uncordon(), NodeActionCommand.Drain(), new RemoveCommand(),
        new ProjectsCommand(), new KeysCommand(), new ContextCommand(), new CertificatesCommand(), new ServerCommand(), new GatewayCommand(), new GatewaysCommand(),
        new EngineCommand(), new CompletionCommand(),
    ];
}
