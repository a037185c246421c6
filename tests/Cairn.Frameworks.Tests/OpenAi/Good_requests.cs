using System.Text;
using System.Text.Json;
using Cairn.Frameworks.Engine.OpenAi.Requests;
using Cairn.Frameworks.ToolCalls;

namespace Cairn.Frameworks.Tests.OpenAi;

public sealed class Good_requests
{
    [Fact]
    public void A_chat_with_every_field_is_read_whole()
    {
        var chat = Chat("""
            {"model":"m","messages":[
              {"role":"developer","content":"be brief"},
              {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"ann"},
              {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},
              {"role":"tool","tool_call_id":"c1","content":"2"}],
             "temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.1,"repetition_penalty":1.1,"presence_penalty":1,"frequency_penalty":-1,
             "logit_bias":{"5":-100},"seed":-1,"n":3,"max_tokens":5,"max_completion_tokens":7,"stop":["x","y"],"stream":true,
             "stream_options":{"include_usage":true},"logprobs":true,"top_logprobs":4,"user":"u","ignore_eos":true,
             "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}},
             "chat_template_kwargs":{"enable_thinking":false},
             "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"parallel_tool_calls":false,
             "metadata":{"a":"b"},"store":false,"service_tier":"auto","something_new":[1,2,3]}
            """);

        var output = chat.Output;
        Assert.Equal(("m", 3, true, true, 7, "u", true),
            (output.Model, output.Choices, output.Stream, output.IncludeUsage, output.MaximumTokens, output.User, output.IgnoreEnd));
        Assert.Equal(["x", "y"], output.Stops);
        var sampling = output.Sampling;
        Assert.Equal((0.5f, 0.9f, 40, 0.1f, 1.1f, 1f, -1f),
            (sampling.Temperature, sampling.TopP, sampling.TopK, sampling.MinP, sampling.RepetitionPenalty, sampling.PresencePenalty,
            sampling.FrequencyPenalty));
        Assert.Equal((ulong.MaxValue, 4, -100f), (sampling.Seed, sampling.TopLogprobs, sampling.LogitBias[5]));
        Assert.IsType<ConstraintSpec.Schema>(output.Constraint);
        Assert.Equal((ToolChoice.Auto, "f", false), (chat.Tools!.Choice, chat.Tools.Tools[0].Name, chat.Tools.IsParallel));
        Assert.NotNull(chat.ToolsAsSent);
        Assert.Equal(
            """[{"role":"system","content":"be brief"},{"role":"user","content":"a\nb","name":"ann"},"""
            + """{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":{"x":1}}}]},"""
            + """{"role":"tool","content":"2","tool_call_id":"c1"}]""",
            chat.Messages.ToJsonString());
    }

    [Fact]
    public void What_is_null_counts_as_absent()
    {
        var chat = Chat("""
            {"messages":[{"role":"user","content":"a","name":null}],"temperature":null,"stop":null,"n":null,"tools":null,"tool_choice":null,
             "response_format":null,"logit_bias":null,"stream":null,"stream_options":null,"max_tokens":null,"user":null,"logprobs":null,"top_logprobs":null}
            """);

        Assert.Equal(new OutputSpec { Sampling = chat.Output.Sampling },
            chat.Output with { Stops = new OutputSpec { Sampling = chat.Output.Sampling }.Stops });
        Assert.Equal((1f, (ulong?)null, (int?)null),
            (chat.Output.Sampling.Temperature, chat.Output.Sampling.Seed, chat.Output.Sampling.TopLogprobs));
    }

    [Fact]
    public void A_prompt_may_be_a_text_texts_tokens_or_lists_of_tokens()
    {
        Assert.Equal("a", Assert.Single(Completion("""{"prompt":"a"}""").Prompts).Text);
        Assert.Equal(["a", ""], Completion("""{"prompt":["a",""]}""").Prompts.Select(prompt => prompt.Text));
        Assert.Equal([1, 2], Assert.Single(Completion("""{"prompt":[1,2]}""").Prompts).Tokens!);
        Assert.Equal([[1], [2, 3]], Completion("""{"prompt":[[1],[2,3]]}""").Prompts.Select(prompt => prompt.Tokens));
        Assert.Equal(16, Completion("""{"prompt":"a"}""").Output.MaximumTokens);
    }

    [Fact]
    public void Choices_become_an_expression_that_means_each_of_them()
    {
        var choice = Assert.IsType<ConstraintSpec.Choice>(Completion("""{"prompt":"a","guided_choice":["a.b","(c|d)"]}""").Output.Constraint);

        Assert.Equal(@"regex (a\.b|\(c\|d\))", choice.Key);
    }

    private static ChatRequest Chat(string json) => Read(json, ChatRequest.Parse);

    private static CompletionRequest Completion(string json) => Read(json, CompletionRequest.Parse);

    private static T Read<T>(string json, Func<Fields, T> parse)
    {
        var (document, error) = RequestBody.Parse(Encoding.UTF8.GetBytes(json));
        Assert.Null(error);
        var fields = new Fields(document!.RootElement);
        var request = parse(fields);
        Assert.Null(fields.Error);
        return request;
    }
}
