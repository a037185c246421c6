using System.CommandLine;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

internal sealed class ChatCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "An endpoint, or a model's name." };
    private readonly Option<string?> _message = new("--message", "-m") { Description = "Say this, print the answer and leave.", HelpName = "TEXT" };
    private readonly Option<string?> _system = new("--system") { Description = "What the model is told first.", HelpName = "TEXT" };
    private readonly Option<int?> _tokens = new("--max-tokens") { Description = "At most so many tokens per answer.", HelpName = "N" };
    private readonly Option<double?> _temperature = new("--temperature")
    {
        Description = "0 is the likeliest; 1 the model's own distribution.", HelpName = "T",
    };

    public ChatCommand() : base("chat", "Talk to a served model in the terminal; answers stream. An empty line or Ctrl-D ends it.", "cairn chat tiny\n  cairn chat tiny -m 'Hello'")
    {
        Arguments.Add(_name);
        foreach (var option in new Option[] { _message, _system, _tokens, _temperature })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var model = await ModelAsync(context, cancellationToken);
        using var http = context.Api.NewRawClient();
        var messages = new JsonArray();
        if (context.Get(_system) is { } system)
            messages.Add(new JsonObject { ["role"] = "system", ["content"] = system });
        if (context.Get(_message) is { } once)
        {
            await SayAsync(context, http, model, messages, once, cancellationToken);
            return ExitCodes.Success;
        }
        while (true)
        {
            if (!Console.IsInputRedirected)
                await Console.Error.WriteAsync("> ");
            if (await Console.In.ReadLineAsync(cancellationToken) is not { Length: > 0 } line)
                return ExitCodes.Success;
            await SayAsync(context, http, model, messages, line, cancellationToken);
        }
    }

    private async Task<string> ModelAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var name = context.Get(_name)!;
        var endpoints = await context.Api.GetAsync<Page<EndpointView>>(Query.Of("endpoints", ("project", context.Project)), cancellationToken);
        return endpoints.Items.FirstOrDefault(e => e.Name == name)?.Model ?? name;
    }

    private async Task SayAsync(CommandContext context, HttpClient http, string model, JsonArray messages, string text, CancellationToken cancellationToken)
    {
        messages.Add(new JsonObject { ["role"] = "user", ["content"] = text });
        var body = new JsonObject { ["model"] = model, ["messages"] = messages.DeepClone(), ["stream"] = true };
        if (context.Get(_tokens) is { } most)
            body["max_tokens"] = most;
        if (context.Get(_temperature) is { } temperature)
            body["temperature"] = temperature;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw new CliException(ExitCodes.Refused, await ErrorOfAsync(stream, cancellationToken) ?? $"The server answers {(int)response.StatusCode}.");
        var answer = new StringBuilder();
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            if (item.Data == "[DONE]")
                break;
            var chunk = JsonNode.Parse(item.Data);
            if (chunk?["error"]?["message"] is { } error)
                throw new CliException(ExitCodes.Failure, (string)error!);
            var piece = (string?)(chunk?["choices"] as JsonArray)?.FirstOrDefault()?["delta"]?["content"] ?? "";
            answer.Append(piece);
            if (!context.Output.IsJson)
                await Console.Out.WriteAsync(piece);
        }
        messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = answer.ToString() });
        if (context.Output.IsJson)
            context.Output.JsonLine(new { role = "assistant", content = answer.ToString() });
        else
            await Console.Out.WriteLineAsync();
    }

    private static async Task<string?> ErrorOfAsync(Stream stream, CancellationToken cancellationToken)
    {
        try
        {
            return (string?)(await JsonNode.ParseAsync(stream, cancellationToken: cancellationToken))?["error"]?["message"];
        }
        catch (JsonException)
        {
            return null; // Not the gateway's own words; the status is told instead.
        }
    }
}
