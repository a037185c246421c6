using Cairn.Frameworks.Constraining;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Microsoft.AspNetCore.Http;

namespace Cairn.Frameworks.Engine.OpenAi;

/// <summary>
/// What the routes of language models share: how a body comes to its answer, which model is meant, who asks, what tokens a text has, which
/// grammar a constraint is.
/// </summary>
internal sealed class LanguageFace(LoadedModels models, EngineReadiness readiness, TimeProvider time)
{
    private const int LongestCaller = 512;
    private readonly GrammarCache _grammars = new();

    public TimeProvider Time => time;

    /// <summary>
    /// Reads the request's body, has it answered from its fields, and writes the error where one comes of either or none can be answered
    /// now.
    /// </summary>
    public async Task AnswerAsync(HttpContext context, Func<Fields, Task<OpenAiError?>> answer)
    {
        var (body, error) = await RequestBody.ReadAsync(context);
        using (body)
        {
            error = Refusal() ?? error ?? await answer(new Fields(body!.RootElement));
            if (error is not null)
                await error.WriteAsync(context);
        }
    }

    private OpenAiError? Refusal() => readiness.Phase switch
    {
        EnginePhase.Loading => OpenAiError.Unavailable("The models are being loaded; ask again in a moment.", "model_loading"),
        EnginePhase.Draining => OpenAiError.Unavailable("The engine is stopping and takes no new requests.", "engine_stopping"),
        _ => null,
    };

    /// <param name="name">Null is the only language model there is.</param>
    public (ServedLanguageModel? Model, OpenAiError? Error) Find(string? name)
    {
        if (name is null)
        {
            return models.All<ServedLanguageModel>() is [var only]
                ? (only, null)
                : (null, OpenAiError.Invalid("model", "model is missing; GET /v1/models lists the names.", "missing_required_parameter"));
        }

        return models.Find(name) switch
        {
            ServedLanguageModel model => (model, null),
            null => (null, OpenAiError.UnknownModel(name)),
            _ => (null, OpenAiError.Invalid("model", $"The model '{name}' does not generate text.", "model_not_supported")),
        };
    }

    /// <summary>Whom the engine is fair to: the header, what the request says of its user, or the connection.</summary>
    public static string Caller(HttpContext context, OutputSpec output)
    {
        var named = context.Request.Headers["x-cairn-caller"].ToString();
        var caller = named.Length > 0 ? named : output.User ?? context.Connection.Id;
        return caller.Length <= LongestCaller ? caller : caller[..LongestCaller];
    }

    public static (int[]? Tokens, OpenAiError? Error) Encode(ServedLanguageModel model, PromptInput prompt, bool addSpecialTokens,
        string param)
    {
        var tokens = prompt.Tokens ?? model.Model.Tokenizer.Encode(prompt.Text!, addSpecialTokens);
        if (Array.FindIndex(tokens, token => token >= model.Model.Tokenizer.VocabularySize) is >= 0 and var wrong)
        {
            return (null, OpenAiError.Invalid(
                $"{param}[{wrong}]", $"{param}[{wrong}] is {tokens[wrong]}; this model's tokens are 0 to {model.Model.Tokenizer.VocabularySize - 1}."));
        }

        if (tokens.Length == 0)
            return (null, OpenAiError.Invalid(param, $"{param} has no tokens; expected at least one."));
        return tokens.Length < model.Model.ContextLength ? (tokens, null)
            : (null, OpenAiError.TooLong(param, tokens.Length, model.Model.ContextLength));
    }

    /// <summary>What depends on the model: its vocabulary, and whether the constraint compiles.</summary>
    public (Grammar? Grammar, OpenAiError? Error) Check(ServedLanguageModel model, OutputSpec output)
    {
        var vocabulary = model.Model.Tokenizer.VocabularySize;
        foreach (var token in output.Sampling.LogitBias.Keys)
        {
            if (token >= vocabulary)
                return (null, OpenAiError.Invalid("logit_bias",
                    $"logit_bias has the token {token}; this model's tokens are 0 to {vocabulary - 1}."));
        }

        if (output.Constraint is not { } constraint)
            return (null, null);
        try
        {
            return (_grammars.Get(constraint.Key, constraint.Compile), null);
        }
        catch (GrammarException exception)
        {
            return (null, OpenAiError.Invalid(constraint.Param, $"{constraint.Param} cannot be held to: {exception.Message}",
                "invalid_schema"));
        }
    }

    /// <summary>The grammar of calls where the model must call; null where it may say what it likes.</summary>
    public (Grammar? Grammar, OpenAiError? Error) Check(ChatTools tools)
    {
        if (!tools.Must)
            return (null, null);
        try
        {
            return (_grammars.Get(tools.Key, () => tools.Set.GrammarFor(tools.Format)!), null);
        }
        catch (GrammarException exception)
        {
            return (null, OpenAiError.Invalid("tools", $"tools cannot be held to: {exception.Message}", "invalid_schema"));
        }
    }
}
