using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Providers;

internal sealed class AddProviderCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "Lower-case letters, digits and hyphens." };
    private readonly Option<string> _url = new("--url")
    {
        Description = "The base URL, such as https://api.example.com/v1.", Required = true, HelpName = "URL",
    };

    private readonly Option<string?> _key = new("--key-env")
    {
        Description = "The environment variable that holds the provider's key; a command line is seen by others. Without it, no key is sent.", HelpName = "VARIABLE",
    };

    private readonly Option<string[]> _models = new("--model")
    {
        Description = "What clients call a model by, and the provider's own name for it. May be repeated.", Required = true, HelpName = "NAME[=UPSTREAM]",
    };

    private readonly Option<string?> _dialect = new("--dialect") { Description = "openai (default) or anthropic." };
    private readonly Option<decimal> _input = new("--input-price")
    {
        Description = "Dollars per million prompt tokens that users are charged.", HelpName = "USD",
    };

    private readonly Option<decimal?> _cached = new("--cached-input-price")
    {
        Description = "The same for tokens that the provider had cached.", HelpName = "USD",
    };

    private readonly Option<decimal> _output = new("--output-price")
    {
        Description = "Dollars per million output tokens that users are charged.", HelpName = "USD",
    };

    private readonly Option<int> _weight = new("--weight") { Description = "Share of the requests; an endpoint has 100.", DefaultValueFactory = _ => 100 };
    private readonly Option<bool> _fallback = new("--fallback") { Description = "Only when nobody else behind the name can answer." };

    public AddProviderCommand() : base("add", "Put a provider's models behind names of the project's: alone, beside an endpoint, or as its fallback.",
        "cairn providers add acme --url https://api.example.com/v1 --key-env ACME_KEY --model chat=acme-large --input-price 0.5 --output-price 1.5 --fallback")
    {
        Arguments.Add(_name);
        foreach (var option in new Option[] { _url, _key, _models, _dialect, _input, _cached, _output, _weight, _fallback })
            Options.Add(option);
        _dialect.AcceptOnlyFromAmong("openai", "anthropic");
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var request = new AddProviderRequest
        {
            Name = context.Get(_name)!, BaseUrl = context.Get(_url)!, Dialect = context.Get(_dialect), Credential = Credential(context.Get(_key)),
            Models = [.. context.Get(_models)!.Select(text => Model(context, text))],
        };
        var provider = await context.Api.PostAsync<AddProviderRequest, ProviderView>(Query.Of("providers", ("project", context.Project)), request, cancellationToken);
        context.Output.Write(provider, view => ProvidersCommand.Print(context.Output, [view]));
        return ExitCodes.Success;
    }

    private ProviderModelView Model(CommandContext context, string text)
    {
        var split = text.IndexOf('=');
        return new ProviderModelView
        {
            Model = split < 0 ? text : text[..split], UpstreamModel = split < 0 ? null : text[(split + 1)..], InputPrice = context.Get(_input),
            CachedInputPrice = context.Get(_cached), OutputPrice = context.Get(_output), Weight = context.Get(_weight), Fallback = context.Get(_fallback),
        };
    }

    private static string? Credential(string? variable)
    {
        if (variable is null)
            return null;
        return Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
            ? value.Trim()
            : throw new CliException(ExitCodes.Usage, $"--key-env {variable}: there is no such environment variable, or it is empty.");
    }
}
