using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;
using Cairn.Contracts.Units;

namespace Cairn.Cli.Projects;

internal sealed class ProjectsCommand : CairnCommand
{
    public ProjectsCommand() : base("projects", "List projects; create one, grant it credits, see its balance.", "cairn projects grant default 500")
    {
        Subcommands.Add(new CreateProjectCommand());
        Subcommands.Add(new GrantCommand());
        Subcommands.Add(new BalanceCommand());
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var projects = await context.Api.ListAsync<ProjectView>("projects", int.MaxValue, cancellationToken);
        context.Output.Write(projects, list =>
        {
            foreach (var project in list)
                context.Output.Line(project.Name);
        });
        return ExitCodes.Success;
    }
}

internal sealed class CreateProjectCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "Lower-case letters, digits and hyphens." };

    public CreateProjectCommand() : base("create", "Create a project: it owns jobs, keys and spending.", "cairn projects create research") => Arguments.Add(_name);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var project = await context.Api.PostAsync<CreateProjectRequest, ProjectView>("projects", new CreateProjectRequest(context.Get(_name)!), cancellationToken);
        context.Output.Write(project, view => context.Output.Line($"{view.Name} created"));
        return ExitCodes.Success;
    }
}

internal sealed class GrantCommand : CairnCommand
{
    private readonly Argument<string> _name = new("PROJECT") { Description = "The project." };
    private readonly Argument<decimal> _usd = new("USD") { Description = "How many dollars." };
    private readonly Option<string?> _note = new("--note") { Description = "Why, kept in the ledger.", HelpName = "TEXT" };

    public GrantCommand() : base("grant", "Grant credits to a project. Work is paid from them; nothing runs beyond them.", "cairn projects grant research 250.50 --note \"June\"")
    {
        Arguments.Add(_name);
        Arguments.Add(_usd);
        Options.Add(_note);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var usd = context.Get(_usd);
        if (usd is <= 0 or > 1_000_000_000)
            throw new CliException(ExitCodes.Usage, $"{usd} dollars cannot be granted; expected more than 0 and at most 1,000,000,000.");
        var balance = await context.Api.PostAsync<GrantCreditsRequest, BalanceView>(
            $"projects/{Query.Segment(context.Get(_name)!)}/credits", new GrantCreditsRequest(Money.FromUsd(usd), context.Get(_note)), cancellationToken);
        context.Output.Write(balance, view => BalanceCommand.Print(context.Output, view));
        return ExitCodes.Success;
    }
}

internal sealed class BalanceCommand : CairnCommand
{
    private readonly Argument<string> _name = new("PROJECT") { Description = "The project." };

    public BalanceCommand() : base("balance", "What a project was granted, holds for running work and has spent.", "cairn projects balance default") => Arguments.Add(_name);

    internal static void Print(Output output, BalanceView balance)
    {
        var table = Output.NewTable("PROJECT", ">GRANTED", ">AVAILABLE", ">HELD", ">SPENT");
        table.AddRow(Words.Escape(balance.Project), balance.Granted.ToString(), balance.Available.ToString(), balance.Held.ToString(), balance.Spent.ToString());
        output.Table(table);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var balance = await context.Api.GetAsync<BalanceView>($"projects/{Query.Segment(context.Get(_name)!)}/balance", cancellationToken);
        context.Output.Write(balance, view => Print(context.Output, view));
        return ExitCodes.Success;
    }
}
