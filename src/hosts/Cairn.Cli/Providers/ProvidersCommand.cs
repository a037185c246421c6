using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Providers;

internal sealed class ProvidersCommand : CairnCommand
{
    public ProvidersCommand() : base("providers", "List providers outside whose models stand behind a project's names; add or remove one.",
        "cairn providers add acme --url https://api.example.com/v1 --key-env ACME_KEY --model chat=acme-large")
    {
        Subcommands.Add(new AddProviderCommand());
        Subcommands.Add(new RemoveProviderCommand());
    }

    public static void Print(Output output, IReadOnlyList<ProviderView> providers)
    {
        var table = Output.NewTable("NAME~", "URL~", "DIALECT", "MODEL~", "UPSTREAM~", ">$/M IN", ">$/M OUT", "SHARE");
        foreach (var provider in providers)
        {
            foreach (var model in provider.Models)
            {
                table.AddRow(Words.Escape(provider.Name), Words.Escape(provider.BaseUrl), provider.Dialect, Words.Escape(model.Model), Words.Escape(model.UpstreamModel ?? model.Model),
                    Words.Usd(model.InputPrice), Words.Usd(model.OutputPrice), model.Fallback ? "fallback" : $"{model.Weight}");
            }
        }
        output.Table(table);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var providers = await context.Api.ListAsync<ProviderView>(Query.Of("providers", ("project", context.Project)), int.MaxValue, cancellationToken);
        context.Output.Write(providers, list => Print(context.Output, list));
        return ExitCodes.Success;
    }
}

internal sealed class RemoveProviderCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "The provider's name, from `cairn providers`." };

    public RemoveProviderCommand() : base("remove", "Forget a provider and its key; requests under way end as they would.", "cairn providers remove acme") => Arguments.Add(_name);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await context.Api.DeleteAsync(Query.Of("providers/" + Query.Segment(context.Get(_name)!), ("project", context.Project)), cancellationToken);
        context.Output.Note($"Provider {context.Get(_name)} is removed.");
        return ExitCodes.Success;
    }
}
